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
    The series of dead workers, added up. The file is written once and then only replaced.
``new``
    A worker file or a totals file under construction. Renaming is the last step.
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

*Directory lock.* A process holds an exclusive lock on the directory while it creates its file,
scans the directory, compacts, or opens the shared port. The lock is held for milliseconds. A
process waits at most five seconds (`TimeoutError`). `fork_guard` delays `os.fork()` meanwhile, or
the child would inherit the lock.

Neither lock is needed to append a record or to record a value. Within a process, an `RLock` makes
threads append one after the other. A signal handler passes the `RLock` of its own thread, so an
append inside an append raises `BlockingIOError`.

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
  has no memory barrier. CPython executes hundreds of instructions between the text of a record and
  its length, so the wrong order is improbable. Should a reader meet such a record, the checksum
  fails: the reader reports a damaged file, and may miss the record until the file is read anew.

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

Every scan compacts. Under the directory lock, the scanner removes ``new``, lists the worker files,
tries the lock of each, and reads the new records. It adds the files of dead workers to the totals,
writes the sum to ``new``, renames ``new`` to ``totals``, and removes their files. The
owner record of the totals names all files of dead workers found by this scan. A crash leaves one of
three states:

- before the rename: the old totals and all files of dead workers. The next scan compacts again.
- between the rename and the last removal: the new totals, and files named in them. The next scan
  removes these files without counting them.
- after the last removal: the finished state.

On a full disk the compaction fails: the old totals stay, and the series of dead workers are read
from their files until a later scan succeeds.

Counters, histograms and gauges of the mode ``mostrecent`` survive their worker. Up-down counters
and other gauges end with the worker. A metric over its cardinality limit keeps its oldest series;
younger series are added to the overflow series. Every process makes the same choice.

Fork
----

A forked child closes the file of its parent and creates a file with its first series. The parent
continues in its own. Worker numbers (the label ``worker``) are the smallest numbers free among the
living workers, so their number of values stays small.

Versions
--------

Worker files describe themselves: the descriptor of a metric is a record. Workers of two versions of
a catalogue can therefore run side by side during a deployment. A metric is shown as declared by the
worker with the latest start; `merged_metric` converts the series of other versions. Unknown fields
of a descriptor are ignored. A file of another format version counts as damaged.

Damage
------

A damaged file never stops a scan. A record with a wrong text is skipped, a wrong header ends the
file, and a truncated file ends early. All records before the damage count. A series of an
impossible value, such as NaN or a negative count, is not added to the totals. Each worker reports
a damaged file once, as a fault. The file of a dead worker is moved to ``damaged/latest``. Damaged
totals are linked there, and rewritten from their readable records. Files of another service are
left alone, and a new worker refuses to start beside them.
"""
