import { createHmac } from 'node:crypto';
import type { ContactFacts } from '../facts';
import type { BucketLeaf, ConsentLeaf, EveryoneLeaf, ReachableLeaf, RuleChannel } from '../rule';
import { idOf, type LeafKind } from './leaf-kind';

/** What only events change. */

export const consentLeaf: LeafKind<ConsentLeaf> = {
  judge: (leaf, facts) => {
    const said = consentOf(leaf, facts);
    const value = said === undefined ? {} : { value: said.value };
    switch (leaf.op) {
      case 'granted':
        return { truth: said?.value ?? null, ...value };
      case 'withdrawn':
        return { truth: said === undefined ? null : !said.value, ...value };
      case 'isSet':
        return { truth: said !== undefined, ...value };
      case 'isUnset':
        return { truth: said === undefined, ...value };
    }
  },
  nextMove: () => null,
  evidence: (leaf, facts) => idOf(consentOf(leaf, facts)),
};

const consentOf = ({ consent }: ConsentLeaf, facts: ContactFacts) => {
  const dot = consent.lastIndexOf('.');
  return facts.consent(consent.slice(0, dot), consent.slice(dot + 1) as RuleChannel);
};

export const reachableLeaf: LeafKind<ReachableLeaf> = {
  judge: ({ reachable }, facts) => {
    const truth = facts.reachable(reachable);
    return { truth, value: truth };
  },
  nextMove: () => null,
  evidence: () => [],
};

export const bucketLeaf: LeafKind<BucketLeaf> = {
  judge: ({ bucket, from, to }, { contactId }) => {
    const value = bucketOf(bucket, contactId);
    return { truth: from <= value && value < to, value };
  },
  nextMove: () => null,
  evidence: () => [],
};

/** Which of a hundred equal parts a contact is in, for ever: HMAC-SHA256 of its id under the seed. */
export const bucketOf = (seed: string, contactId: string): number => {
  const digest = createHmac('sha256', seed).update(contactId, 'utf8').digest();
  return Math.floor((digest.readUIntBE(0, 6) * 100) / 2 ** 48);
};

export const everyoneLeaf: LeafKind<EveryoneLeaf> = {
  judge: () => ({ truth: true }),
  nextMove: () => null,
  evidence: () => [],
};
