"use strict";

// Refreshes the page in place: elements that stay the same keep focus, scroll and open details.
(() => {
  const root = document.documentElement;
  const period = 1000 * Number(root.dataset.refresh);
  const timeout = 10000;
  // Set by the reader, not by the server.
  const kept = new Set(["open", "hidden"]);
  const byId = (id) => document.getElementById(id);

  let answered = Date.now();
  let attempted = answered;
  let asking = false;
  let paused = false;

  function morph(old, fresh) {
    if (old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
    } else if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
    } else {
      morphAttributes(old, fresh);
      morphChildren(old, fresh);
    }
  }

  function morphAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !kept.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (!kept.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function morphChildren(old, fresh) {
    const known = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
    let next = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = child.id ? known.get(child.id) : next && !next.id ? next : null;
      if (!same) {
        old.insertBefore(child, next);
        continue;
      }
      if (same === next) next = next.nextSibling;
      else old.insertBefore(same, next);
      morph(same, child);
    }
    while (next) {
      const after = next.nextSibling;
      next.remove();
      next = after;
    }
  }

  // Returns a function that restores focus, and the place of the first entry in view.
  function holdPlace() {
    const focused = document.activeElement;
    const held =
      focused.closest(".slo") ??
      [...document.querySelectorAll(".slo")].find((one) => one.getBoundingClientRect().bottom > 0);
    const top = scrollY > 0 && held?.getBoundingClientRect().top;
    return () => {
      if (focused !== document.activeElement && focused.isConnected) {
        focused.focus({ preventScroll: true });
      }
      if (top && held.isConnected) scrollBy(0, held.getBoundingClientRect().top - top);
    };
  }

  function show(page) {
    const fresh = page.getElementById("content");
    const before = byId("totals").textContent;
    const restore = holdPlace();
    morph(byId("content"), fresh);
    filter();
    restore();
    document.title = page.title;
    const summary = [...document.querySelectorAll(".total")].map((one) => one.textContent).join(", ");
    if (byId("totals").textContent !== before) byId("news").textContent = summary;
  }

  function words(milliseconds) {
    const seconds = Math.round(milliseconds / 1000);
    if (seconds < 90) return `${seconds} s`;
    return seconds < 5400 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
  }

  function age() {
    return 1000 * Number(byId("content").dataset.age) + Date.now() - answered;
  }

  function showAge() {
    const old = age() > 3 * period + timeout;
    root.classList.toggle("old", old && !paused);
    byId("age").textContent = `${paused ? "Paused, state" : "State"} of ${words(age())} ago`;
  }

  function trouble(text) {
    if (byId("trouble").textContent !== text) byId("trouble").textContent = text;
  }

  async function refresh() {
    if (asking) return;
    asking = true;
    attempted = Date.now();
    try {
      const answer = await fetch(location.href, {
        cache: "no-store",
        headers: { accept: "text/html" },
        signal: AbortSignal.timeout(timeout),
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.getElementById("content")) throw new Error(`it answers with ${answer.status}`);
      answered = Date.now();
      show(page);
      trouble("");
    } catch {
      const since = new Date(answered).toLocaleTimeString();
      trouble(`The service has not answered since ${since}; the page shows the state of that time.`);
    } finally {
      asking = false;
      showAge();
    }
  }

  function tick() {
    showAge();
    if (!paused && !document.hidden && Date.now() - attempted >= period) refresh();
  }

  function pause() {
    paused = !paused;
    byId("pause").textContent = paused ? "Continue" : "Pause";
    if (paused) showAge();
    else refresh();
  }

  const form = byId("filter");

  function filter() {
    const state = form.elements.state.value;
    const sought = form.elements.find.value.trim().toLowerCase();
    const entries = [...document.querySelectorAll(".slo")];
    for (const entry of entries) {
      const { state: current, text } = entry.dataset;
      entry.hidden = (state && state !== current) || !text.toLowerCase().includes(sought);
    }
    for (const section of document.querySelectorAll("main > section:not(.corrections)")) {
      section.hidden = !section.querySelector(".slo:not([hidden])");
    }
    form.hidden = !entries.length;
    const number = entries.filter((entry) => !entry.hidden).length;
    const text = state || sought ? `${number} of ${entries.length} shown` : "";
    if (byId("shown").textContent !== text) byId("shown").textContent = text;
  }

  // The filter is a part of the address, so that a link or a reload keeps the filter.
  function remember() {
    const address = new URL(location.href);
    for (const name of ["find", "state"]) {
      const { value } = form.elements[name];
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
    filter();
  }

  function recall() {
    const given = new URL(location.href).searchParams;
    for (const name of ["find", "state"]) form.elements[name].value = given.get(name) ?? "";
    filter();
  }

  function openTarget() {
    const entry = byId(decodeURIComponent(location.hash.slice(1)));
    if (entry?.matches(".slo")) entry.open = true;
  }

  byId("pause").hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", remember);
  byId("pause").addEventListener("click", pause);
  addEventListener("hashchange", openTarget);
  document.addEventListener("visibilitychange", tick);
  recall();
  openTarget();
  showAge();
  setInterval(tick, 1000);
})();
