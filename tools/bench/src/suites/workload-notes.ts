/** What a reader of the pages of SmallBank, YCSB and TPC-C has to know: what is compared with what, and what the tables of aborts say. */

const WHERE = `_Embedded_ is one process in memory, with 16 callers whose transactions interleave at each \`await\`; beside it stand SQLite in memory and lmdb
unsynced, which run the same bodies one transaction at a time. _Three nodes_ are three processes on loopback, each write synced by a majority before it is acknowledged,
driven by another process with a session for each transaction in flight; beside them, where a workload reads and writes single records, three members of
etcd run the same bodies: it compares the revisions of what was read and puts what was written in one call. TPC-C and the scans of YCSB E have no counterpart there. A transaction counts
once it has committed, however often it ran.`;

const ABORTS = `The tables of aborts are of a run of its own at the size of a round, in which each attempt is recorded: an abort is an attempt that a conflict ended, and that was
made again. An abort was unnecessary if the transaction, committed in the moment in which it was aborted, would have closed no cycle in the graph of what had committed, orders
of real time left out. In the cluster that moment is not known: of two figures the first takes all that had asked for its commit to be there already, the
second none of it that had not been told.`;

const KINDS = `Kinds of aborts: \`write-write\`, somebody else has written a key since the snapshot (first committer wins; in the embedded store this also ends those that had read the
key); \`read-write\`, a key that was read is no longer the newest; \`phantom\`, the same of a range that was scanned, or of a key that was absent; \`busy\`, somebody else had prepared to commit the key, and was not
done within a short wait; \`validation\`, something that a read-only transaction had read was overwritten before its end: its reads are of one moment all the same, but a strictly
serializable one must not be older than the time at which it began, so these count as unnecessary.`;

export const WORKLOAD_NOTES = [WHERE, ABORTS, KINDS].map((text) => text.replaceAll("\n", " "));
