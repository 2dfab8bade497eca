import type { ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { foldHistory, HistoryFacts, type ContactHistory, type Membership } from '@app/rules';
import type { Definitions } from '../membership/definitions';
import {
  advance,
  applyEvent,
  noMembership,
  type FactsWith,
  type MembershipState,
} from '../membership/membership';

/** What a contact had come to by an instant, and what it would have been in. */
export type ByThen = Readonly<{ history: ContactHistory; membership: MembershipState }>;

/**
 * What segments a contact would have been in at an instant had all that is known now been recorded when it happened. `events`:
 * of its stream, in the order of the log, those that happened until then. Null: it was not registered. Pure.
 */
export const membershipByThen = (
  contactId: string,
  events: readonly RecordedEvent<ContactEvent>[],
  definitions: Definitions,
  at: string,
): ByThen | null => {
  const inTime = [...events].sort((one, other) => {
    if (one.data.occurredAt !== other.data.occurredAt)
      return one.data.occurredAt < other.data.occurredAt ? -1 : 1;
    return one.meta.position < other.meta.position ? -1 : 1;
  });
  let membership = noMembership(contactId);
  const past = new HistoryInTime();
  inTime.forEach((event, n) => {
    const before = past.current;
    const after = past.add(event);
    const known = { before: before && factsOf(before), after: after && factsOf(after) };
    const meta = { ...event.meta, position: BigInt(n), recordedAt: event.data.occurredAt };
    ({ state: membership } = applyEvent(membership, known, definitions, { ...event, meta }));
  });
  const history = past.current;
  if (history === null) return null;
  ({ state: membership } = advance(membership, factsOf(history), definitions, at));
  return { history, membership: { ...membership, open: placedInLog(membership.open, inTime) } };
};

/** Causes name the events that they come from by where those stand in the log, as everywhere else. */
const placedInLog = (
  open: MembershipState['open'],
  inTime: readonly RecordedEvent<ContactEvent>[],
): MembershipState['open'] =>
  Object.fromEntries(
    Object.entries(open).map(([segmentId, stay]) => {
      const position = String(inTime[Number(stay.causeIn.position)]?.meta.position ?? stay.causeIn.position);
      return [segmentId, { ...stay, causeIn: { ...stay.causeIn, position } }];
    }),
  );

/** As rules see the stays that the machine has found. */
export const staysIn = ({ open, past }: MembershipState, segmentId: string): readonly Membership[] => {
  const ended = (Object.hasOwn(past, segmentId) ? past[segmentId] : undefined) ?? [];
  const current = Object.hasOwn(open, segmentId) ? open[segmentId] : undefined;
  return [
    ...ended.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) })),
    ...(current === undefined ? [] : [{ from: Date.parse(current.from), to: null }]),
  ];
};

/** A history that grows by when things happened, and is folded in the order of the log, as all histories are. */
class HistoryInTime {
  current: ContactHistory | null = null;
  private readonly events: RecordedEvent<ContactEvent>[] = [];

  add(event: RecordedEvent<ContactEvent>): ContactHistory | null {
    const last = this.events.at(-1);
    if (last === undefined || last.meta.position < event.meta.position) {
      this.events.push(event);
      this.current = foldHistory(this.current, event);
      return this.current;
    }
    const place = this.events.findIndex(({ meta }) => meta.position > event.meta.position);
    this.events.splice(place, 0, event);
    this.current = this.events.reduce<ContactHistory | null>(foldHistory, null);
    return this.current;
  }
}

const factsOf =
  (history: ContactHistory): FactsWith =>
  (stays) =>
    new Recalled(history, stays);

/** A history with the stays that somebody else knows. */
export class Recalled extends HistoryFacts {
  constructor(
    history: ContactHistory,
    private readonly stays: (segmentId: string) => readonly Membership[],
  ) {
    super(history);
  }

  override memberships(segmentId: string): readonly Membership[] {
    return this.stays(segmentId);
  }
}
