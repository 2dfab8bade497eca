import type { Profile, ProfilePatch } from '../../domain/contact.events';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An RFC 7396 merge: null removes, objects merge, all else replaces. Changes neither of its arguments. */
const merge = (target: unknown, patch: Fields): Fields => {
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, isObject(value) ? merge(merged.get(name), value) : value);
  }
  return Object.fromEntries(merged);
};

export const applyPatch = (profile: Profile, patch: ProfilePatch): Profile =>
  merge(profile, patch) as Profile;
