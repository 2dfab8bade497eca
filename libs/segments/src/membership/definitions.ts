import { dependenciesOf, EVERY_RULE, type DependencyKey, type Rule } from '@app/rules';
import { topologicalOrder } from '../domain/references';

/** The version of a segment that decides. */
export type Definition = Readonly<{
  segmentId: string;
  version: number;
  /** Null: manual. */
  rule: Rule | null;
  /** Of a ranked rule: the figure of the last who is in; null: nobody is. */
  cutOff?: number | null;
}>;

/** All segments that are active, ready to be asked which of them an event can change. */
export class Definitions {
  /** Every segment after those that it refers to. */
  readonly inOrder: readonly Definition[];
  private readonly ranks: ReadonlyMap<string, number>;
  private readonly byKey = new Map<DependencyKey, string[]>();
  private readonly referrers = new Map<string, string[]>();

  constructor(definitions: readonly Definition[]) {
    const byId = new Map(definitions.map((definition) => [definition.segmentId, definition]));
    const looked = new Map(
      definitions.map(({ segmentId, rule }) => [segmentId, rule === null ? null : dependenciesOf(rule)]),
    );
    const references = new Map([...looked].map(([id, found]) => [id, found?.segments ?? []]));
    const order = topologicalOrder(references);
    this.inOrder = order.map((id) => byId.get(id) as Definition);
    this.ranks = new Map(order.map((id, rank) => [id, rank]));
    for (const id of order) {
      const found = looked.get(id);
      for (const key of found?.keys ?? []) append(this.byKey, key, id);
      for (const referred of found?.segments ?? []) append(this.referrers, referred, id);
    }
  }

  get(segmentId: string): Definition | undefined {
    const rank = this.ranks.get(segmentId);
    return rank === undefined ? undefined : this.inOrder[rank];
  }

  rankOf(segmentId: string): number {
    return this.ranks.get(segmentId) ?? -1;
  }

  /** Segments whose rules depend on any of what an event touched. */
  dependingOn(keys: readonly DependencyKey[]): readonly string[] {
    if (keys.includes(EVERY_RULE)) return this.inOrder.map(({ segmentId }) => segmentId);
    return [...new Set(keys.flatMap((key) => this.byKey.get(key) ?? []))];
  }

  /** Segments whose rules name this one. */
  referringTo(segmentId: string): readonly string[] {
    return this.referrers.get(segmentId) ?? [];
  }
}

const append = (lists: Map<string, string[]>, key: string, value: string): void => {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
};
