// Runs Grafana's own packages: transformations of tables, reduction of stats, format of values.
//
// Reads a list of jobs in JSON from standard input, and writes a list of results. The folder with
// the packages is the first argument. A job is {kind, ...}; each kind is a function of JOBS.
"use strict";
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const load = createRequire(process.argv[2] + "/");

// @grafana/data needs a browser's document while it is loaded.
const { window } = new (load("jsdom").JSDOM)("", { url: "http://localhost" });
for (const name of ["window", "document", "navigator", "localStorage", "DOMParser"]) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
const log = console.log;
console.log = console.info = () => {}; // a dependency greets on standard output
const grafana = load("@grafana/data");

const theme = grafana.createTheme({ colors: { mode: "light" } });
const timeZone = "utc";
const replaceVariables = (text) => text;
grafana.standardTransformersRegistry.setInit(() =>
  [...new Map(Object.values(grafana.standardTransformers).map((one) => [one.id, one])).values()].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    transformation,
  })),
);
// Grafana registers these properties of fields at its start.
const property = (id, extra = {}) => ({
  id, path: id, name: id, process: (value) => value, shouldApply: () => true, ...extra,
});
const NAMES = ["unit", "decimals", "noValue", "mappings", "thresholds", "color", "min", "max", "links"];
grafana.standardFieldConfigEditorRegistry.setInit(() => NAMES.map((name) => property(name)));
const CUSTOM = ["cellOptions", "width"].map((name) =>
  property(`custom.${name}`, { path: name, isCustom: true }),
);
const fieldConfigRegistry = new grafana.Registry(() => [
  ...NAMES.map((name) => property(name)),
  ...CUSTOM,
]);

const { FieldType } = grafana;
const number = (text) => Number(text.replace("Inf", "Infinity"));

// The frames that the Prometheus data source makes of an instant query.
function tableFrame(refId, result, only) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const text = (name) => ({
    name, type: FieldType.string, config: {}, values: result.map(({ metric }) => metric[name] ?? ""),
  });
  return {
    refId,
    length: result.length,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: result.map(({ value }) => value[0] * 1000) },
      ...labels.map(text),
      { name: only ? "Value" : `Value #${refId}`, type: FieldType.number, config: {},
        values: result.map(({ value }) => number(value[1])) },
    ],
  };
}

function seriesFrames({ refId, legendFormat }, result) {
  return result.map(({ metric, value }) => ({
    refId,
    length: 1,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: [value[0] * 1000] },
      { name: "Value", type: FieldType.number, labels: metric, values: [number(value[1])],
        config: { displayNameFromDS: legend(legendFormat, metric) } },
    ],
  }));
}

function legend(format, metric) {
  return format ? format.replace(/{{\s*(\w+)\s*}}/g, (_, name) => metric[name] ?? "").trim() : undefined;
}

function withConfig(panel, data) {
  return grafana.applyFieldOverrides({
    data, fieldConfig: panel.fieldConfig, fieldConfigRegistry, replaceVariables, theme, timeZone,
  });
}

function shown({ text, color, prefix, suffix }) {
  return { text: grafana.formattedValueToString({ text, prefix, suffix }), color };
}

const JOBS = {
  async table({ panel, results }) {
    const frames = panel.targets.map(({ refId }) =>
      tableFrame(refId, results[refId], panel.targets.length === 1));
    const [frame] = await new Promise((resolve, reject) => {
      grafana.transformDataFrame(panel.transformations ?? [], frames.filter(({ length }) => length))
        .subscribe({ next: resolve, error: reject });
    });
    return frame ? withConfig(panel, [frame])[0].fields.map((field) => ({
      title: grafana.getFieldDisplayName(field, frame),
      width: field.config.custom?.width ?? null,
      right: field.type === FieldType.number && !field.config.mappings?.some(({ type }) => type === "value"),
      colored: field.config.custom?.cellOptions?.type === "color-text",
      linked: (field.config.links ?? []).length > 0,
      cells: [...field.values].map((value) => shown(field.display(value))),
    })) : [];
  },
  async stat({ panel, results }) {
    const frames = panel.targets.flatMap((target) => seriesFrames(target, results[target.refId]));
    const values = grafana.getFieldDisplayValues({
      fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions,
      data: withConfig(panel, frames), replaceVariables, theme, timeZone,
    });
    return values.map(({ display }) => ({ title: display.title ?? "", ...shown(display) }));
  },
  async format({ config, values }) {
    const display = grafana.getDisplayProcessor({
      field: { type: FieldType.number, config }, theme, timeZone,
    });
    return values.map((value) => shown(display(value)));
  },
};

async function main() {
  const jobs = JSON.parse(readFileSync(0, "utf8"));
  const results = [];
  for (const job of jobs) results.push(await JOBS[job.kind](job));
  log(JSON.stringify(results));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
