/** How much is measured: the whole bench, or a quick look that only shows that everything works. */
export type Scale = Readonly<{
  roundCount: number;
  roundMs: number;
  /** Contacts by number: [0, warm) stay warm, [warm, hot) have long streams, [hot, cold) are used once each. */
  warmTo: number;
  hotTo: number;
  hotEvents: number;
  coldTo: number;
  coldPerRound: number;
  /** Used before the rounds, so that the compiler has seen what reads a contact. */
  coldWarmUp: number;
  listSizes: readonly number[];
  listPages: number;
  visibleTimes: number;
  erasures: number;
  /** Contacts of the folds with and without segments, and credits of points a round. */
  segmentContacts: number;
  segmentEvents: number;
  previewTimes: number;
  rawStreams: number;
  rawEvents: number;
}>;

export const IN_FLIGHT = [1, 32, 256] as const;

export const FULL: Scale = {
  roundCount: 3,
  roundMs: 2_000,
  warmTo: 2_000,
  hotTo: 2_100,
  hotEvents: 500,
  coldTo: 11_300,
  coldPerRound: 800,
  coldWarmUp: 2_000,
  listSizes: [10_000, 100_000],
  listPages: 150,
  visibleTimes: 300,
  erasures: 100,
  segmentContacts: 5_000,
  segmentEvents: 4_000,
  previewTimes: 3,
  rawStreams: 10_000,
  rawEvents: 100_000,
};

export const QUICK: Scale = {
  roundCount: 1,
  roundMs: 500,
  warmTo: 200,
  hotTo: 264,
  hotEvents: 100,
  coldTo: 1_264,
  coldPerRound: 200,
  coldWarmUp: 400,
  listSizes: [1_000],
  listPages: 20,
  visibleTimes: 30,
  erasures: 10,
  segmentContacts: 500,
  segmentEvents: 1_000,
  previewTimes: 1,
  rawStreams: 500,
  rawEvents: 5_000,
};
