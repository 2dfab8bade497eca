import { addMillis } from '@app/kernel';
import fc from 'fast-check';
import type { Cause } from '../../membership/membership';
import { stayId, type StayDocument } from '../segmented-contact';

/** Histories of who is in some segments, made without the machine: what is asked of them is told by going through them. */

export type Change = Readonly<{
  segmentId: string;
  contactId: string;
  change: 'entered' | 'left';
  version: number;
  cause: Cause;
  /** Goes on under the next version. */
  isSwitch: boolean;
}>;

/** What happened at once: an event of the log, or the clock. */
export type Happening = Readonly<{
  /** Of an event; null: the clock. */
  position: bigint | null;
  recordedAt: string;
  /** The segment whose definition changed. */
  defines: string | null;
  /** Which version decides from here on. */
  version: number;
  changes: readonly Change[];
}>;

export type History = Readonly<{
  happenings: readonly Happening[];
  stays: readonly (StayDocument & { _id: string })[];
}>;

export const SEGMENTS = ['11111111-0000-4000-8000-000000000001', '11111111-0000-4000-8000-000000000002'];
export const CONTACTS = Array.from({ length: 6 }, (_, n) => `22222222-0000-4000-8000-00000000000${n}`);
export const BEGIN = '2024-02-28T23:59:50.000Z';
const SECOND_MS = 1_000;

type Step = Readonly<{
  kind: 'event' | 'late' | 'clock' | 'definition' | 'toggle' | 'elsewhere';
  seconds: number;
  jump: number;
  segment: number;
  contact: number;
  bits: number;
}>;

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>(
      'event',
      'event',
      'event',
      'late',
      'clock',
      'clock',
      'definition',
      'toggle',
      'elsewhere',
    ),
    seconds: fc.constantFrom(0, 0, 1, 2, 5),
    jump: fc.constantFrom(1, 2, 9, 90),
    segment: fc.nat(SEGMENTS.length - 1),
    contact: fc.nat(CONTACTS.length - 1),
    bits: fc.nat(2 ** CONTACTS.length - 1),
  }),
  { maxLength: 40 },
);

export const stayHistories: fc.Arbitrary<History> = steps.map((list) => new Telling().all(list));

class Telling {
  private readonly happenings: Happening[] = [];
  private readonly stays = new Map<string, StayDocument & { _id: string }>();
  private readonly open = new Map<string, string>();
  private readonly versions = SEGMENTS.map(() => 1);
  private readonly active = SEGMENTS.map(() => true);
  private readonly known = new Map<string, bigint>();
  private position = 3n;
  private now = BEGIN;

  all(list: readonly Step[]): History {
    for (const segment of SEGMENTS.keys())
      this.define(segment, 'initial', segment * 9 + 5, { seconds: 1, jump: 2 });
    for (const step of list) this.tell(step);
    return { happenings: this.happenings, stays: [...this.stays.values()] };
  }

  private tell(step: Step): void {
    const { kind, segment, contact, bits } = step;
    switch (kind) {
      case 'definition':
        if (this.active[segment] !== true) return;
        this.versions[segment] = this.version(segment) + 1;
        return this.define(segment, 'definition', bits, step);
      case 'toggle':
        this.active[segment] = this.active[segment] !== true;
        return this.define(
          segment,
          this.active[segment] ? 'initial' : 'deactivation',
          this.active[segment] ? bits : 0,
          step,
        );
      case 'elsewhere':
        return this.happen(step, null, segment, () => []);
      case 'clock': {
        // The clock ticks before events of the same instant are folded.
        this.now = addMillis(this.now, (step.seconds + 1) * SECOND_MS);
        const position = this.known.get(this.contact(contact)) ?? 3n;
        if (this.active[segment] !== true) return;
        const cause: Cause = { kind: 'clock', at: this.now, position: String(position) };
        const changes = this.toggle(segment, contact, cause);
        this.happenings.push({
          position: null,
          recordedAt: this.now,
          defines: null,
          version: this.version(segment),
          changes,
        });
        this.now = addMillis(this.now, SECOND_MS);
        return;
      }
      default:
        return this.happen(step, null, segment, (position, recordedAt) => {
          this.known.set(this.contact(contact), position);
          if (this.active[segment] !== true) return [];
          // Where the clock of the projector was ahead, a change is dated later than its event was recorded.
          const at = kind === 'late' ? addMillis(recordedAt, SECOND_MS) : recordedAt;
          return this.toggle(segment, contact, {
            kind: bits % 5 === 0 ? 'manual' : 'event',
            eventId: `e${position}`,
            at,
            position: String(position),
          });
        });
    }
  }

  private happen(
    { seconds, jump, kind }: Pick<Step, 'seconds' | 'jump'> & { kind?: Step['kind'] },
    defines: string | null,
    segment: number,
    changes: (position: bigint, recordedAt: string) => readonly Change[],
  ): void {
    this.now = addMillis(this.now, seconds * SECOND_MS);
    this.position += BigInt(jump);
    this.happenings.push({
      position: this.position,
      recordedAt: this.now,
      defines,
      version: this.version(segment),
      changes: changes(this.position, this.now),
    });
    if (kind === 'late') this.now = addMillis(this.now, 2 * SECOND_MS);
  }

  /** Everybody is judged anew: whose bit is set is in. */
  private define(
    segment: number,
    kind: 'initial' | 'definition' | 'deactivation',
    bits: number,
    step: Pick<Step, 'seconds' | 'jump'>,
  ): void {
    this.happen(step, this.segment(segment), segment, (position, at) =>
      CONTACTS.flatMap((contactId, contact) => {
        const cause: Cause = { kind, eventId: `e${position}`, at, position: String(position) };
        const isIn = ((bits >> contact) & 1) === 1;
        const wasIn = this.open.has(this.key(segment, contactId));
        return [
          ...(wasIn ? [this.leave(segment, contactId, cause, isIn)] : []),
          ...(isIn ? [this.enter(segment, contactId, cause, wasIn)] : []),
        ];
      }),
    );
  }

  private toggle(segment: number, contact: number, cause: Cause): Change[] {
    const contactId = this.contact(contact);
    return this.open.has(this.key(segment, contactId))
      ? [this.leave(segment, contactId, cause, false)]
      : [this.enter(segment, contactId, cause, false)];
  }

  private enter(segment: number, contactId: string, cause: Cause, isSwitch: boolean): Change {
    const [segmentId, version] = [this.segment(segment), this.version(segment)];
    const stay = { segmentId, version, from: cause.at, to: null, causeIn: cause, causeOut: null };
    const _id = stayId(contactId, stay);
    this.stays.set(_id, { _id, contactId, ...stay });
    this.open.set(this.key(segment, contactId), _id);
    return { segmentId, contactId, change: 'entered', version, cause, isSwitch };
  }

  private leave(segment: number, contactId: string, cause: Cause, isSwitch: boolean): Change {
    const key = this.key(segment, contactId);
    const stay = this.stays.get(this.open.get(key) as string) as StayDocument & { _id: string };
    this.open.delete(key);
    this.stays.set(stay._id, { ...stay, to: cause.at, causeOut: cause });
    const { segmentId, version } = stay;
    return { segmentId, contactId, change: 'left', version, cause, isSwitch };
  }

  private key(segment: number, contactId: string): string {
    return `${segment} ${contactId}`;
  }

  private segment(n: number): string {
    return SEGMENTS[n] as string;
  }

  private contact(n: number): string {
    return CONTACTS[n] as string;
  }

  private version(segment: number): number {
    return this.versions[segment] as number;
  }
}
