import { demandNoErrors, type BenchRun } from './bench-run';
import { SEGMENT_FOLDS, type Jobs, type SegmentFold } from './jobs';
import { median } from './statistics';

const FACTOR_MAX = 2;
const FILL_MAX_MS = 10_000;
const PREVIEW_MAX_MS = 2_000;

/** What the store finds alone, and what takes each contact's facts. */
const RULES: Readonly<Record<string, object>> = {
  'who lives in a city, of an age': {
    all: [
      { attr: 'profile.address.city', op: 'eq', value: 'Wien' },
      { attr: 'age', op: 'between', value: [30, 40] },
    ],
  },
  'who spent so much within a window': {
    metric: 'purchases.spend',
    currency: 'EUR',
    op: 'gte',
    value: 20_000,
    window: { from: '2025-11-05', to: '2025-11-20' },
  },
};

/** What rules cost a fold, an event; how long a new one takes, and a preview. */
export const measureSegments = async (run: BenchRun): Promise<void> => {
  await measureFolds(run);
  await measureRules(run);
};

type Folds = Jobs['foldSegments']['answer'];

const measureFolds = async (run: BenchRun): Promise<void> => {
  const { at, bare, scale, progress } = run;
  const { segmentContacts: contacts, segmentEvents, roundCount } = scale;
  progress(`Folding ${contacts} contacts with and without segments …`);
  const dbName = `regulars_bench_segments_${process.pid}`;
  const counts = { batchedCount: segmentEvents, singleCount: Math.ceil(segmentEvents / 10), roundCount };
  const folds = await bare.run('foldSegments', { ...at, dbName, contacts, ...counts });
  for (const how of ['batched', 'single'] as const) addFolds(run, folds, how);
};

const addFolds = ({ report, scale }: BenchRun, folds: Folds, how: 'batched' | 'single'): void => {
  const { rounds, activeCount, touchedCount, unrelatedCount, recomputeMs } = folds;
  const perEventMs = (fold: SegmentFold): number => 1_000 / median(rounds.map((rates) => rates[fold][how]));
  const plain = perEventMs('plain');
  const names: Readonly<Record<SegmentFold, string>> = {
    plain: 'the projector without segments',
    none: 'with facts, no segment',
    active: `${activeCount} segments, of which an event touches ${touchedCount}`,
    unrelated: `${unrelatedCount.toLocaleString('en')} more that it does not touch`,
    naive: `naive: all ${activeCount} asked at each event`,
  };
  const size = scale.segmentContacts.toLocaleString('en');
  const part = `Folding a credit of points, ${how === 'single' ? 'one by one' : 'in batches'}, ${size} contacts`;
  for (const fold of SEGMENT_FOLDS) {
    const value = perEventMs(fold);
    const bareValue = fold === 'unrelated' ? perEventMs('active') : plain;
    const most = fold === 'active' ? FACTOR_MAX * plain : undefined;
    report.add({
      part,
      what: names[fold],
      value,
      unit: 'ms',
      ...(fold !== 'plain' && { bare: bareValue, ratio: value / bareValue }),
      ...(most !== undefined && { target: { kind: 'value-max', value: most } }),
      details: rounds.map((rates) => rates[fold]),
    });
  }
  if (how === 'batched')
    report.add({ part, what: 'naive: everybody recomputed', value: recomputeMs, unit: 'ms' });
};

const measureRules = async (run: BenchRun): Promise<void> => {
  const { at, load, scale, report } = run;
  const size = await run.fillAll();
  const part = `Rules over ${size.toLocaleString('en')} contacts`;
  for (const [name, rule] of Object.entries(RULES)) {
    run.progress(`Previewing and filling ${name} …`);
    const preview = await load.run('preview', { ...at, rule, times: scale.previewTimes });
    demandNoErrors('preview', preview);
    const previewTarget = { kind: 'value-max', value: PREVIEW_MAX_MS } as const;
    report.add({
      part,
      what: `preview: ${name}`,
      value: preview.p50Ms,
      unit: 'ms',
      target: previewTarget,
      details: preview,
    });
    const { ms } = await load.run('defineSegment', { ...at, rule, name });
    const target = { kind: 'value-max', value: FILL_MAX_MS } as const;
    report.add({ part, what: `new: ${name}`, value: ms, unit: 'ms', target });
  }
};
