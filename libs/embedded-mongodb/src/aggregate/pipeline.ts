import { badValue, CommandError, failedToParse } from '../command.error';
import { DocumentWriter, rawOf } from '../bson/document-writer';
import { Path, pathOf, plainValueAt } from '../bson/path';
import {
  ElementCursor,
  entriesOf,
  isNumber,
  isText,
  isTrue,
  numberOf,
  T,
  textOf,
  Value,
  valuesOf,
} from '../bson/raw-value';
import { Filter, MATCH_ALL, parseFilter } from '../query/filter';
import { compileFilter } from '../query/matcher';
import { SortField } from '../query/planner';
import { compileAddition, compileProjection, Projector } from '../query/projection';
import { parseSort, Sorter } from '../query/sort';
import { Each, Gathering, ListSource, Slice, sorted, Source } from '../query/source';
import { Grouping } from './group';

/** Turns the documents of one stage into those of the next. */
type Stage = (input: Source) => Source;

/** A pipeline, its first `$match` and `$sort` taken out for the planner. */
export type Pipeline = Readonly<{
  filter: Filter;
  sort: readonly SortField[];
  /** How many documents the rest needs at most, where `$limit` comes straight after. */
  limit: number;
  stages: readonly Stage[];
}>;

const STAGES_MAX = 1_000;
const FACET_BYTES_MAX = 100 * 1024 * 1024;

/** Parses a pipeline; stages that are not on the list fail with 40324, as unknown ones do. */
export const parsePipeline = (pipeline: Value): Pipeline => {
  const specs = stagesIn(pipeline);
  let filter = MATCH_ALL;
  let sort: readonly SortField[] = [];
  let limit = Infinity;
  let from = 0;
  const take = (name: string): Value | undefined => {
    const spec = specs[from];
    if (spec?.[0] !== name) return undefined;
    from += 1;
    return spec[1];
  };
  for (let match = take('$match'); match; match = take('$match')) {
    const next = matchOf(match);
    filter = filter === MATCH_ALL ? next : { kind: 'and', parts: [filter, next] };
  }
  const order = take('$sort');
  if (order) sort = sortOf(order);
  if (specs[from]?.[0] === '$limit') limit = countOf('$limit', specs[from]![1], 1);
  const stages = specs.slice(from).map(([name, value]) => stageOf(name, value, false));
  return { filter, sort, limit, stages };
};

const stagesIn = (pipeline: Value): [string, Value][] => {
  if (pipeline.type !== T.array)
    throw new CommandError(14, "'pipeline' option must be specified as an array");
  const stages = valuesOf(pipeline);
  if (stages.length > STAGES_MAX)
    throw failedToParse(`Pipeline length must be no longer than ${STAGES_MAX} stages.`);
  return stages.map((stage) => {
    if (stage.type !== T.object)
      throw new CommandError(14, "Each element of the 'pipeline' array must be an object");
    const entries = entriesOf(stage);
    if (entries.length !== 1) {
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    return entries[0]!;
  });
};

const matchOf = (value: Value): Filter => {
  if (value.type !== T.object)
    throw new CommandError(15959, 'the match filter must be an expression in an object');
  return parseFilter(value);
};

const sortOf = (value: Value): readonly SortField[] => {
  if (value.type !== T.object) throw new CommandError(15973, 'the $sort key specification must be an object');
  const sort = parseSort(value);
  if (sort.length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key');
  return sort;
};

const countOf = (name: string, value: Value, least: number): number => {
  const isWhole =
    isNumber(value.type) && value.type !== T.decimal && Number.isInteger(Number(numberOf(value)));
  const codes = name === '$limit' ? [5107201, 15958] : [5107200, 5107200];
  if (!isWhole) throw new CommandError(codes[0]!, `invalid argument to ${name} stage: Expected an integer`);
  const count = Number(numberOf(value));
  if (count < least) {
    throw count < 0
      ? new CommandError(codes[0]!, `invalid argument to ${name} stage: Expected a non-negative number`)
      : new CommandError(codes[1]!, 'the limit must be positive');
  }
  return count;
};

const stageOf = (name: string, value: Value, inFacet: boolean): Stage => {
  switch (name) {
    case '$match': {
      const matches = compileFilter(matchOf(value));
      return (input) => new Each(input, (document) => (matches(document, 0) ? document : undefined));
    }
    case '$sort': {
      const sort = sortOf(value);
      return (input) => sorted(input, new Sorter(sort, Infinity));
    }
    case '$limit': {
      const limit = countOf(name, value, 1);
      return (input) => new Slice(input, 0, limit);
    }
    case '$skip': {
      const skip = countOf(name, value, 0);
      return (input) => new Slice(input, skip, Infinity);
    }
    case '$project':
      return projectStage(value);
    case '$addFields':
    case '$set':
      return eachStage(compileAddition(value));
    case '$unset':
      return unsetStage(value);
    case '$group':
      // Compiled now for its errors, and once more for each run, which has groups of its own.
      void new Grouping(value);
      return (input) => {
        const grouping = new Grouping(value);
        return new Gathering(
          input,
          (document) => grouping.add(document),
          () => grouping.results(),
        );
      };
    case '$count':
      return countStage(value);
    case '$unwind':
      return unwindStage(value);
    case '$facet':
      if (inFacet) throw new CommandError(40600, '$facet is not allowed to be used within a $facet stage');
      return facetStage(value);
    default:
      throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`);
  }
};

const eachStage =
  (project: Projector): Stage =>
  (input) =>
    new Each(input, project);

const projectStage = (value: Value): Stage => {
  if (value.type !== T.object) throw new CommandError(15969, '$project specification must be an object');
  const project = compileProjection(value);
  if (!project)
    throw new CommandError(
      51272,
      'Invalid $project :: caused by :: projection specification must have at least one field',
    );
  return eachStage(project);
};

const unsetStage = (value: Value): Stage => {
  const names = value.type === T.array ? valuesOf(value) : [value];
  if (names.length === 0 || !names.every((item) => isText(item.type))) {
    throw new CommandError(31002, '$unset specification must be a string or an array');
  }
  const project = compileProjection(rawOf(Object.fromEntries(names.map((item) => [textOf(item), 0]))));
  return eachStage(project!);
};

const countStage = (value: Value): Stage => {
  const name = isText(value.type) ? textOf(value) : '';
  if (name === '' || name.startsWith('$') || name.includes('.')) {
    throw new CommandError(
      isText(value.type) ? (name === '' ? 40156 : name.startsWith('$') ? 40158 : 40160) : 40156,
      'the count field must be a non-empty string',
    );
  }
  return (input) => {
    let count = 0;
    return new Gathering(
      input,
      () => void (count += 1),
      () => (count === 0 ? [] : [documentOf((writer) => writer.value(name, rawOf(count)!))]),
    );
  };
};

const documentOf = (write: (writer: DocumentWriter) => void): Buffer => {
  const writer = new DocumentWriter(64);
  const mark = writer.begin();
  write(writer);
  writer.end(mark);
  return writer.take();
};

const unwindStage = (value: Value): Stage => {
  const options = value.type === T.object ? new Map(entriesOf(value)) : new Map([['path', value]]);
  const pathValue = options.get('path');
  if (!pathValue || !isText(pathValue.type))
    throw new CommandError(pathValue ? 28808 : 28812, 'expected a string as the path for $unwind stage');
  const text = textOf(pathValue);
  if (!text.startsWith('$'))
    throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${text}`);
  const path = pathOf(text.slice(1));
  const preserve = options.get('preserveNullAndEmptyArrays');
  const keepEmpty = preserve !== undefined && preserve.type === T.bool && isTrue(preserve);
  const indexOption = options.get('includeArrayIndex');
  const indexName = indexOption && textOf(indexOption);
  if (indexName?.includes('.')) throw new CommandError(238, 'a nested includeArrayIndex is not supported');
  for (const name of options.keys()) {
    if (!['path', 'preserveNullAndEmptyArrays', 'includeArrayIndex'].includes(name)) {
      throw new CommandError(28811, `unrecognized option to $unwind stage: ${name}`);
    }
  }
  return (input) => new Each(input, (document) => unwound(document, path, keepEmpty, indexName));
};

const unwound = (
  document: Buffer,
  path: Path,
  keepEmpty: boolean,
  indexName: string | undefined,
): readonly Buffer[] => {
  const value = plainValueAt(document, 0, path);
  const withIndex = (made: Buffer, index: number | null): Buffer =>
    indexName === undefined
      ? made
      : documentOf((writer) => {
          const cursor = new ElementCursor(made, 0);
          while (cursor.next())
            if (cursor.name !== indexName) writer.raw(made, cursor.nameAt - 1, cursor.end);
          if (index === null) writer.value(indexName, rawOf(null)!);
          else writer.int64(indexName, BigInt(index));
        });
  if (!value || value.type === T.null || value.type === T.undefined)
    return keepEmpty ? [withIndex(document, null)] : [];
  if (value.type !== T.array) return [withIndex(document, null)];
  const items = valuesOf(value);
  if (items.length === 0)
    return keepEmpty ? [withIndex(replaced(document, 0, path, 0, undefined), null)] : [];
  return items.map((item, index) => withIndex(replaced(document, 0, path, 0, item), index));
};

/** The document with another value at the path, or without it. */
const replaced = (buf: Buffer, at: number, path: Path, step: number, value: Value | undefined): Buffer =>
  documentOf((writer) => {
    const cursor = new ElementCursor(buf, at);
    while (cursor.next()) {
      const name = path.names[step]!;
      if (!cursor.isNamed(name)) writer.raw(buf, cursor.nameAt - 1, cursor.end);
      else if (step < path.names.length - 1)
        writer.document(name, replaced(buf, cursor.at, path, step + 1, value));
      else if (value) writer.value(name, value);
    }
  });

const facetStage = (value: Value): Stage => {
  if (value.type !== T.object || entriesOf(value).length === 0) {
    throw new CommandError(40169, 'the $facet specification must be a non-empty object');
  }
  const facets = entriesOf(value).map(([name, pipeline]) => {
    if (name.startsWith('$') || name.includes('.')) throw badValue(`invalid facet name ${name}`);
    return { name, stages: stagesIn(pipeline).map(([stage, spec]) => stageOf(stage, spec, true)) };
  });
  return (input) => new Facets(input, facets);
};

type Facet = Readonly<{ name: string; stages: readonly Stage[] }>;

/** Gathers its input once, then runs each facet over it, a step a call. */
class Facets implements Source {
  private readonly documents: Buffer[] = [];
  private bytes = 0;
  private isRead = false;
  private isDone = false;
  private running: Source | undefined;
  private results: Buffer[][] = [];

  constructor(
    private readonly input: Source,
    private readonly facets: readonly Facet[],
  ) {}

  next(): Buffer[] | undefined {
    if (this.isDone) return undefined;
    if (!this.isRead) return this.read();
    const facet = this.facets[this.results.length - (this.running ? 1 : 0)];
    if (!facet) {
      this.isDone = true;
      return [
        documentOf((writer) =>
          this.facets.forEach(({ name }, i) => writer.documents(name, this.results[i]!)),
        ),
      ];
    }
    if (!this.running) {
      this.running = runStages(new ListSource(this.documents), facet.stages);
      this.results.push([]);
    }
    const part = this.running.next(256);
    if (!part) this.running = undefined;
    else for (const document of part) this.keep(document, this.results.at(-1)!);
    return [];
  }

  private read(): Buffer[] {
    const documents = this.input.next(256);
    if (documents) for (const document of documents) this.keep(document, this.documents);
    else this.isRead = true;
    return [];
  }

  private keep(document: Buffer, into: Buffer[]): void {
    this.bytes += document.length;
    if (this.bytes > FACET_BYTES_MAX) throw new CommandError(292, '$facet exceeded its memory limit');
    into.push(document);
  }
}

/** Puts the stages on top of a source. */
export const runStages = (input: Source, stages: readonly Stage[]): Source =>
  stages.reduce((source, stage) => stage(source), input);
