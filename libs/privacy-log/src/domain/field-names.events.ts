/**
 * The names of fields that are shown most, each by its place in this list. A record keeps them as the bits of a hexadecimal
 * number, in a tenth of the bytes. What was recorded is read by this list for ever: append to it, never change or move a name.
 */
export const FIELD_NAMES: readonly string[] = [
  // The profile of a contact's details.
  'profile.firstName',
  'profile.lastName',
  'profile.email',
  'profile.phone',
  'profile.birthday',
  'profile.gender',
  'profile.language',
  'profile.address',
  'profile.customFields',
  'profile.tags',
  // What details and rows of lists have beside it.
  'registeredAt',
  'source',
  'balances',
  'lots',
  'consents',
  'devices',
  'segments',
  'lastActivityAt',
  'lastCheckInAt',
  'counts',
  'spend',
  // Rows of lists.
  'firstName',
  'lastName',
  'email',
  'phone',
  'gender',
  'birthday',
  'age',
  'language',
  'city',
  'country',
  'points',
  'tags',
  // Activity.
  'position',
  'eventId',
  'type',
  'occurredAt',
  'recordedAt',
  'actor',
  'data',
  // Further details of a contact.
  'processingRestricted',
  'profilingObjection',
];

const PLACES: ReadonlyMap<string, number> = new Map(FIELD_NAMES.map((name, place) => [name, place]));

/** `shown`: the names that are in the list; `others`: those that are not. */
export const packed = (names: readonly string[]): Readonly<{ shown?: string; others: readonly string[] }> => {
  const others: string[] = [];
  let bits = 0n;
  for (const name of names) {
    const place = PLACES.get(name);
    if (place === undefined) others.push(name);
    else bits |= 1n << BigInt(place);
  }
  return { ...(bits !== 0n && { shown: bits.toString(16) }), others };
};

/** The names of `shown`, in the order of the list. */
export const unpacked = (shown: string | undefined): readonly string[] => {
  if (shown === undefined) return [];
  const bits = BigInt(`0x${shown}`);
  return FIELD_NAMES.filter((_, place) => (bits >> BigInt(place)) & 1n);
};
