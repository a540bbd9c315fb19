"""Metrics of a service with several processes, shared through memory-mapped files.

Theory of operation
===================

The workers of one service share a directory. Each process appends its series to one file, maps
the file into memory, and keeps the values of its counters, gauges and histograms there. Recording
therefore costs no system call and no lock between processes. Every worker can answer a scrape for
the whole service, because every worker can map the files of all others.

Files
-----

``<pid>-<random>.worker``
    A worker file: the series of one process, its only writer. The file is created with the first
    series, so a master process without metrics has none. No name is ever used twice.
``totals``
    The series of dead workers, added up, and the name of the service that owns the directory. The
    first process creates empty totals. The file is only replaced as a whole.
``<pid>-<random>.private``
    A note: the process has numbers in private memory, because it cannot write its file.
``<pid>-<random>.refused``
    A note: a process of another service was refused. The next scan reports and removes it.
``new`` and ``<pid>-<random>.new``
    A file under construction. Renaming is the last step, except for the first totals, which are
    linked, so that one of several processes wins.
``scrapes``
    Two times of scrapes: series that were born later are shown at zero, see
    `otel_meta.runtime.births.shared_marks`.
``slo-history``, ``slo-history.lock``
    The history of the service's SLOs, see `otel_meta.runtime.slo.history_file`.
``damaged/latest``
    The latest damaged file, for a person to read. No code reads it.

Locks
-----

Both kinds of lock are `flock()`, which the kernel releases at the end of a process, SIGKILL
included. No process id decides if a worker is alive: the kernel reuses ids, and two containers may
have processes of equal id.

*Worker lock.* A process holds an exclusive lock on its worker file until it ends or shuts down. A
worker file without a lock belongs to a dead worker. The lock is held on a file descriptor of its
own: `mmap` duplicates the descriptor of a mapping, and a forked child could never close the
duplicate. The child closes the inherited descriptor of the lock, so the lock ends with the parent.
The note of private numbers has such a lock, too. Observers try a shared lock, so no observer takes
another observer for the worker.

*Directory lock.* A process holds an exclusive lock on the directory while it compacts, chooses its
number, or opens the shared port. The lock is held for milliseconds, unless its holder is stopped.
Therefore nobody waits for it: without the lock, a scan only reads, and a worker gets its number
later. Only the opening of a port waits, for at most one second. A forked child closes the inherited
descriptor.

No lock is needed to create a file, to append a record or to record a value. Within a process, a
`ForkSafeLock` makes threads append one after the other. A signal handler passes the lock of its own
thread, so an append inside an append raises `BlockingIOError`.

Private numbers
---------------

A new series has its numbers in private memory. `SharedMemoryAllocator.place` moves them to the
worker file at once. If this fails (a full disk, no file descriptor left, a directory that cannot be
written, a signal handler inside an append), the series counts in private memory, and each scrape
and a thread, once a second, try again. A move copies the numbers and changes the cell to the copy
in one step of the interpreter, so no recording is lost or counted twice (`recording.atomic`).
Meanwhile the process holds a note, and every page counts the process in
``otel_meta_workers_missing``. If the process ends before, the next scan reports a fault.

The same move repairs a worker file that was removed from the directory, or whose directory was
replaced: the thread compares the inode of the path with the inode of the open file. The records of
the old file are freed, in case its directory comes back. A scan that finds no totals, or totals of
another origin, adds the totals that it read last.

Unreadable files
----------------

A file that cannot be opened or mapped is not absent. Without the totals, nothing is compacted, and
the page shows the last scan. A worker file that was read before is shown as it was read, with
current numbers. Nothing unreadable is replaced or removed, and the page counts it in
``otel_meta_workers_missing``.

Records
-------

A file is a sequence of records: one owner, then metric descriptors and series, each descriptor
before its series, and fillers between regions. Records are only appended. `file_format` defines
the layout.

The length of a record is its first field and is written last: this store commits the record. A
length of zero marks the end of the records. A reader thus finds every record complete or absent,
at any moment, and after SIGKILL at any instruction. Checksums protect the header and the text of
each record against damage. Values change all the time; only the totals file has checksums of them.

The record of a removed series is freed: its first word, the start time, becomes 0.0. After 60
seconds the record may be reused for a new series of the same metric and the same length. Each free
and each reuse increments a counter in the owner record. When the counter has changed, a reader
reads the whole file again. The delay assumes a scan by every reader at least once a minute: a
reader without a scan would show the value of the new series under the labels of the old series.

Memory ordering
---------------

All processes map the same pages (`MAP_SHARED`) of one machine; hence a network file system is
refused. The protocol rests on two assumptions:

- An aligned 8-byte word is loaded and stored as a unit. A reader sees the old value or the new
  value, never a mixture. Two words of a series, such as the count and the sum of a histogram, are
  two stores: a reader, or a kill between the two, may find one without the other.
- Stores become visible in program order. x86-64 guarantees this order. ARM64 does not, and Python
  has no memory barrier: there, the order is an assumption that nothing enforces, and that the tests
  do not cover. CPython executes hundreds of instructions between the text of a record and its
  length, so the wrong order is improbable. Should a reader meet such a record, one of two things
  happens. If the text is incomplete, its checksum fails: the reader reads the file once more from
  its start, and reports damage only if the checksum fails again. If the start time is still zero,
  the reader takes the record for a freed one, and misses the series until a series of this worker
  is removed or its file is replaced.

Growth
------

A worker file grows by regions: 64 KiB first, then as much as the file has, at most 4 MiB, and
always enough for the next record. Each region is a mapping of its own, so no address ever changes
and cells keep their words. A record never crosses a region boundary. The blocks of a region are
allocated before the mapping is made, because a store to a hole on a full disk is a SIGBUS. The next
region exists before a filler record closes the previous region. A reader past a filler therefore
finds the next region, at the latest after mapping the growth of the file again. The last 4 KiB of a
region are reserved for the fault counter, which has to report the full disk.

Death and compaction
--------------------

Stores into a shared mapping belong to the page cache. They survive the process, but not a power
failure: no file is synced.

Every scan with the directory lock compacts. A worker scans for each scrape that it answers, every
ten seconds if it tracks SLOs, and at its shutdown if no other worker lives. The scanner removes
``new``, lists the worker files, tries the lock of each, and reads the new records. It adds the
files of dead workers to the totals, writes the sum to ``new``, renames ``new`` to ``totals``, and
removes their files. The owner record of the totals names all files of dead workers found by this
scan. A crash leaves one of three states:

- before the rename: the old totals and all files of dead workers. The next scan compacts again.
- between the rename and the last removal: the new totals, and files named in them. The next scan
  removes these files without counting them.
- after the last removal: the finished state.

A scan without the lock reads the worker files first, the totals last, and leaves out the files
that the totals name. If the totals were replaced meanwhile, it reads again.

On a full disk the compaction fails: the old totals stay, and the series of dead workers are read
from their files until a later scan succeeds.

Counters, histograms and gauges of the mode ``mostrecent`` survive their worker. Up-down counters
and other gauges end with the worker. A metric over its cardinality limit keeps its oldest series;
younger series are added to the overflow series. Every process makes the same choice.

Fork
----

A forked child closes the file of its parent and creates a file with its first series. The parent
continues in its own. No fork waits: the child replaces all locks, and forgets the files that
another thread of the parent may have been reading. Worker numbers (the label ``worker``) are the
smallest numbers free among the living workers, so their number of values stays small.

Versions
--------

Worker files describe themselves: the descriptor of a metric is a record. Workers of two versions of
a catalogue can therefore run side by side during a deployment. A metric is shown as declared by the
worker with the latest start; `merged_metric` converts the series of other versions. Unknown fields
of a descriptor are ignored. A file of another format version is left alone, reported, and counted
in ``otel_meta_workers_missing``. Beside totals of another version nothing is compacted.

Damage
------

A damaged file never stops a scan. A record with a wrong text is skipped, a wrong header ends the
file, and a truncated file ends early. All records before the damage count. A series of an
impossible value, such as NaN or a negative count, is not added to the totals. A damaged file is
read again from its start, at once and in each scan, so damage of a moment is forgotten. Each worker
reports a damaged file once, as a fault. The file of a dead worker is moved to ``damaged/latest``.
Damaged totals are linked there, and rewritten from their readable records.

Two services
------------

The totals name the service. A process of another service does not start in the directory, before or
after the first recording of either. A running service whose directory was taken meanwhile keeps its
numbers private. Each leaves a note, so both services report the fault. Files of another service are
left alone: totals of another service are neither shown nor replaced.
"""
