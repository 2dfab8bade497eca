import { Client } from './client';
import type { Round } from './in-flight';
import type { Report } from './report';
import type { Scale } from './scale';
import { SystemUnderTest, type SystemAddresses } from './system-under-test';
import { watchCpu, type CpuUse } from './thread-cpu';
import { availableParallelism } from 'node:os';

const FILL_IN_FLIGHT = 64;

/** What every part of the bench works with: the system, one client that loads it and one that speaks to the servers bare. */
export class BenchRun {
  readonly load = new Client();
  readonly bare = new Client();
  private addresses: SystemAddresses | undefined;
  private filledTo = 0;

  constructor(
    readonly system: SystemUnderTest,
    readonly scale: Scale,
    readonly report: Report,
    readonly progress: (line: string) => void,
  ) {}

  get at(): SystemAddresses {
    if (!this.addresses) throw new Error('The system has not been started.');
    return this.addresses;
  }

  async start(): Promise<void> {
    this.addresses = await this.system.start();
  }

  /** Gives the system an empty state cache, with all its data. */
  async restart(): Promise<void> {
    this.addresses = await this.system.restart();
  }

  /** Registers contacts until there are so many: the first ones with four events each, the others with two. */
  async fillTo(contacts: number): Promise<void> {
    const four = Math.min(contacts, this.scale.coldTo);
    for (const [to, actions] of [[four, 'four'] as const, [contacts, 'few'] as const]) {
      if (to <= this.filledTo) continue;
      this.progress(`Registering contacts up to ${to} …`);
      const range = { from: this.filledTo, to };
      const round = await this.load.run('fill', {
        ...this.at,
        contacts: range,
        inFlight: FILL_IN_FLIGHT,
        actions,
      });
      demandNoErrors('fill', round);
      this.filledTo = to;
    }
    await this.settle();
  }

  /** Registers as many as the longest list that is measured; returns how many. */
  async fillAll(): Promise<number> {
    const contacts = this.scale.listSizes.at(-1) ?? this.scale.coldTo;
    await this.fillTo(contacts);
    return contacts;
  }

  /** Waits until the read models show everything; returns the newest position and how long it took. */
  async settle(): Promise<Readonly<{ position: string; ms: number }>> {
    const stop = { count: 1 };
    const { position } = await this.load.run('credit', {
      ...this.at,
      inFlight: 1,
      stop,
      contacts: { from: 0, to: 1 },
    });
    return { position, ...(await this.load.run('settle', { ...this.at, position })) };
  }

  /** Runs a round and says how busy the system's threads were meanwhile. */
  async watched<Answer extends Round>(
    round: () => Promise<Answer>,
  ): Promise<Answer & Readonly<{ cpu: CpuUse }>> {
    return watchCpu(this.system.pid, round);
  }

  async stop(): Promise<void> {
    this.load.stop();
    this.bare.stop();
    await this.system.stop();
  }
}

export const demandNoErrors = (what: string, { errors }: Round): void => {
  if (Object.keys(errors).length > 0) throw new Error(`${what}: ${JSON.stringify(errors)}`);
};

/** Says in words what had no time left, from shares of a core. */
export const boundOf = (cpu: CpuUse, clientShare: number): string => {
  if (cpu.all === 0) return '';
  const ours = cpu.all + clientShare;
  const shares = `api ${percent(cpu.main)}, next thread ${percent(cpu.other)}, client ${percent(clientShare)}`;
  if (cpu.machine - ours > 0.25 * availableParallelism()) {
    return `other processes of this machine (${shares}, others ${percent(cpu.machine - ours)})`;
  }
  if (cpu.main > 0.85) return `the api's thread (${shares})`;
  if (cpu.other > 0.85) return `another thread of the system (${shares})`;
  if (clientShare > 0.85) return `the load client (${shares})`;
  if (cpu.machine > 0.85 * availableParallelism()) return `all cores (${shares})`;
  return `waiting for disk and hand-overs (${shares})`;
};

const percent = (share: number): string => `${Math.round(share * 100)} %`;
