import type { Sealer } from '@app/personal-data';

/** What a read model keeps of an event so that its sealed fields can be opened when somebody looks. */
export type SealedEvent = Readonly<{
  eventId: string;
  /** `meta.sealed` of the event. */
  sealed: Readonly<Record<string, string>>;
}>;

/** Opens fields that a read model kept sealed. */
export class SealedFields {
  constructor(private readonly sealer: Sealer) {}

  /**
   * The fields by name, in the shape they were stored in; null where the key was destroyed. Throws what Sealer.open
   * throws.
   */
  async open({ eventId, sealed }: SealedEvent): Promise<Readonly<Record<string, unknown>>> {
    const opened: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(sealed))
      opened[field] = await this.sealer.open(value, { eventId, field });
    return opened;
  }
}
