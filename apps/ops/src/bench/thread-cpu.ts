import { readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';

/** CPU seconds each thread of a process has used, by thread id; empty where the system has no /proc. */
const threadCpuSeconds = (pid: number): ReadonlyMap<number, number> => {
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

export type Memory = Readonly<{
  /** MiB that the process holds itself. */
  heldMiB: number;
  /** MiB of files that are mapped into it (its stores), which the system takes back when it needs the room. */
  mappedMiB: number;
}>;

/** Resident memory; null where the system has no /proc. */
export const memoryOf = (pid: number): Memory | null => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const mebibytes = (name: string): number =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1_024);
    return { heldMiB: mebibytes('RssAnon'), mappedMiB: mebibytes('RssFile') };
  } catch {
    return null;
  }
};

/** CPU seconds that all processes of the machine have used since it started. */
const machineCpuSeconds = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1_000;

export type CpuUse = Readonly<{
  /** Shares of one core: the process's first thread (api, projector), its busiest other thread, all its threads. */
  main: number;
  other: number;
  all: number;
  /** All processes of the machine. */
  machine: number;
}>;

/** How busy a process and its threads were while something ran. */
export const watchCpu = async <Answer extends Readonly<{ seconds: number }>>(
  pid: number,
  work: () => Promise<Answer>,
): Promise<Answer & Readonly<{ cpu: CpuUse }>> => {
  const before = threadCpuSeconds(pid);
  const machineBefore = machineCpuSeconds();
  const answer = await work();
  const machine = (machineCpuSeconds() - machineBefore) / answer.seconds;
  return { ...answer, cpu: { ...shareOf(pid, before, threadCpuSeconds(pid), answer.seconds), machine } };
};

const shareOf = (
  pid: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  seconds: number,
): Omit<CpuUse, 'machine'> => {
  const shares = [...after].map(([tid, used]) => [tid, (used - (before.get(tid) ?? 0)) / seconds] as const);
  return {
    main: shares.find(([tid]) => tid === pid)?.[1] ?? 0,
    other: Math.max(0, ...shares.filter(([tid]) => tid !== pid).map(([, share]) => share)),
    all: shares.reduce((sum, [, share]) => sum + share, 0),
  };
};
