import type { Cause } from '../../membership/membership';
import type { StayDocument } from '../segmented-contact';

/** Somebody came or went. */
export type MemberChange = Readonly<{
  contactId: string;
  change: 'entered' | 'left';
  at: string;
  version: number;
  cause: Cause;
}>;

/** All that changed for one contact at one instant, in order. */
type Group = Readonly<{ at: string; contactId: string; changes: readonly MemberChange[] }>;

/**
 * Merges stays as they opened and as they closed, each in the order of time and contact, to what changed for each contact at
 * each instant. Who left one version for the next by one and the same change stayed in, so that the group may be empty.
 */
export async function* groupedChanges(
  opens: AsyncIterable<StayDocument>,
  closes: AsyncIterable<StayDocument>,
): AsyncGenerator<Group> {
  const entered = new Peekable(opens, ({ from }) => from);
  const left = new Peekable(closes, ({ to }) => to as string);
  try {
    for (;;) {
      const place = earlier(await entered.peek(), await left.peek());
      if (place === null) return;
      const changes = [
        ...(await left.takeAt(place)).map((stay) => changeOf(stay, 'left')),
        ...(await entered.takeAt(place)).map((stay) => changeOf(stay, 'entered')),
      ];
      yield { ...place, changes: withoutSwitches(changes).sort(compareChanges) };
    }
  } finally {
    await entered.close();
    await left.close();
  }
}

/** Of one contact at one instant: by position, and of one position leaving first. */
export const compareChanges = (one: MemberChange, other: MemberChange): number => {
  const [a, b] = [BigInt(one.cause.position), BigInt(other.cause.position)];
  if (a !== b) return a < b ? -1 : 1;
  return one.change === other.change ? 0 : one.change === 'left' ? -1 : 1;
};

const changeOf = (stay: StayDocument, change: MemberChange['change']): MemberChange => ({
  contactId: stay.contactId,
  change,
  at: change === 'entered' ? stay.from : (stay.to as string),
  version: stay.version,
  cause: change === 'entered' ? stay.causeIn : (stay.causeOut as Cause),
});

/** One cause closes a stay and opens another only where the new version lets somebody stay. */
const withoutSwitches = (changes: readonly MemberChange[]): MemberChange[] => {
  const count = new Map<string, number>();
  const keyOf = ({ cause: { position, kind } }: MemberChange): string => `${position} ${kind}`;
  for (const change of changes) count.set(keyOf(change), (count.get(keyOf(change)) ?? 0) + 1);
  return changes.filter((change) => count.get(keyOf(change)) === 1);
};

type Place = Readonly<{ at: string; contactId: string }>;

const earlier = (one: Place | null, other: Place | null): Place | null => {
  if (one === null || other === null) return one ?? other;
  if (one.at !== other.at) return one.at < other.at ? one : other;
  return one.contactId <= other.contactId ? one : other;
};

/** A walk that can be looked at before it is taken from. */
class Peekable {
  private readonly source: AsyncIterator<StayDocument>;
  private head: Promise<IteratorResult<StayDocument>> | undefined;

  constructor(
    stays: AsyncIterable<StayDocument>,
    private readonly timeOf: (stay: StayDocument) => string,
  ) {
    this.source = stays[Symbol.asyncIterator]();
  }

  async peek(): Promise<Place | null> {
    this.head ??= this.source.next();
    const { done, value } = await this.head;
    return done === true ? null : { at: this.timeOf(value), contactId: value.contactId };
  }

  async takeAt({ at, contactId }: Place): Promise<StayDocument[]> {
    const taken: StayDocument[] = [];
    for (;;) {
      const next = await this.peek();
      if (next?.at !== at || next.contactId !== contactId) return taken;
      const { value } = (await this.head) as IteratorYieldResult<StayDocument>;
      taken.push(value);
      this.head = undefined;
    }
  }

  async close(): Promise<void> {
    await this.source.return?.();
  }
}
