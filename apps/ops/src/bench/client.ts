import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { JobName, Jobs } from './jobs';

/** A client process: does one job at a time and answers. */
export class Client {
  private readonly child: ChildProcess = fork(join(__dirname, 'client.process.js'));
  private readonly died = once(this.child, 'exit').then((): never => {
    throw new Error('A client process of the bench died.');
  });

  constructor() {
    // Nobody may be waiting when it ends as it should.
    this.died.catch(() => undefined);
  }

  async run<Name extends JobName>(name: Name, job: Jobs[Name]['job']): Promise<Jobs[Name]['answer']> {
    this.child.send({ name, job });
    const [message] = (await Promise.race([once(this.child, 'message'), this.died])) as [
      { answer: Jobs[Name]['answer']; error?: string },
    ];
    if (message.error !== undefined) throw new Error(`${name}: ${message.error}`);
    return message.answer;
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
