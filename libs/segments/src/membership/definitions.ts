import { dependenciesOf, EVERY_RULE, type DependencyKey, type Rule } from '@app/rules';

/** The version of a segment that decides. */
export type Definition = Readonly<{
  segmentId: string;
  version: number;
  /** Null: manual. */
  rule: Rule | null;
  /** Of a ranked rule: the figure of the last who is in; null: nobody is. */
  cutOff?: number | null;
}>;

/** All segments that are active at one moment, ready to be asked which of them an event can change. */
export interface DefinitionSet {
  get(segmentId: string): Definition | undefined;
  /** Segments whose rules depend on any of what an event touched. */
  dependingOn(keys: readonly DependencyKey[]): readonly string[];
  /** Segments whose rules name this one. */
  referringTo(segmentId: string): readonly string[];
}

/** The same as data. */
export class Definitions implements DefinitionSet {
  private readonly byId: ReadonlyMap<string, Definition>;
  private readonly byKey = new Map<DependencyKey, string[]>();
  private readonly referrers = new Map<string, string[]>();

  constructor(definitions: readonly Definition[]) {
    this.byId = new Map(definitions.map((definition) => [definition.segmentId, definition]));
    for (const definition of this.byId.values()) {
      for (const key of keysOf(definition)) append(this.byKey, key, definition.segmentId);
      for (const referred of referencesIn(definition)) append(this.referrers, referred, definition.segmentId);
    }
  }

  /** Every segment after those that it refers to. */
  get inOrder(): readonly Definition[] {
    return inOrder(this.byId.keys(), this).map((id) => this.byId.get(id) as Definition);
  }

  get(segmentId: string): Definition | undefined {
    return this.byId.get(segmentId);
  }

  dependingOn(keys: readonly DependencyKey[]): readonly string[] {
    if (keys.includes(EVERY_RULE)) return [...this.byId.keys()];
    return [...new Set(keys.flatMap((key) => this.byKey.get(key) ?? []))];
  }

  referringTo(segmentId: string): readonly string[] {
    return this.referrers.get(segmentId) ?? [];
  }
}

export const keysOf = ({ rule }: Definition): readonly DependencyKey[] =>
  rule === null ? [] : dependenciesOf(rule).keys;

export const referencesIn = ({ rule }: Definition): readonly string[] =>
  rule === null ? [] : dependenciesOf(rule).segments;

/** Every segment after those that it refers to; of equal ones, by id. There are no cycles. */
export const inOrder = (segmentIds: Iterable<string>, definitions: DefinitionSet): readonly string[] => {
  const depths = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    const definition = definitions.get(id);
    let depth = 0;
    for (const referred of definition === undefined ? [] : referencesIn(definition)) {
      depth = Math.max(depth, 1 + depthOf(referred));
    }
    depths.set(id, depth);
    return depth;
  };
  const ids = [...segmentIds];
  if (ids.length < 2) return ids;
  return ids.sort((one, other) => depthOf(one) - depthOf(other) || (one < other ? -1 : 1));
};

const append = (lists: Map<string, string[]>, key: string, value: string): void => {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
};
