import { readFileSync, readdirSync } from 'node:fs';

/** CPU seconds each thread of a process has used, by thread id; empty where the system has no /proc. */
export const threadCpuSeconds = (pid: number): ReadonlyMap<number, number> => {
  const seconds = new Map<number, number>();
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
      // The name in brackets may hold blanks; user and system ticks are the 12th and 13th fields behind it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      seconds.set(Number(tid), (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND);
    }
  } catch {
    return new Map();
  }
  return seconds;
};

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Resident memory in MiB; null where the system has no /proc. */
export const residentMiB = (pid: number): number | null => {
  try {
    const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kibibytes === undefined ? null : Math.round(Number(kibibytes) / 1_024);
  } catch {
    return null;
  }
};

export type CpuUse = Readonly<{
  /** Shares of one core: the process's first thread (api, projector), its busiest other thread, all its threads. */
  main: number;
  other: number;
  all: number;
}>;

/** How busy the threads of a process were between two readings. */
export const cpuUse = (
  pid: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  seconds: number,
): CpuUse => {
  const shares = [...after].map(([tid, used]) => [tid, (used - (before.get(tid) ?? 0)) / seconds] as const);
  return {
    main: shares.find(([tid]) => tid === pid)?.[1] ?? 0,
    other: Math.max(0, ...shares.filter(([tid]) => tid !== pid).map(([, share]) => share)),
    all: shares.reduce((sum, [, share]) => sum + share, 0),
  };
};
