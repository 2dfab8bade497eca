/** One thing that is held about a person, and where it comes from. */
export type HeldFact = Readonly<{
  /** Of the event, without context and version: `PurchaseRecorded`. */
  what: string;
  type: string;
  /** Null: the clock alone brought it about. */
  eventId: string | null;
  position: string;
  recordedAt: string;
  /** Who wrote it, by pseudonym. */
  actor: Readonly<{ id: string; role: string }>;
  /** Opened. */
  data: Readonly<Record<string, unknown>>;
}>;
