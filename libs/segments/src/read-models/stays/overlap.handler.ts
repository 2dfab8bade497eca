import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { StayReads } from './mongo.stay-reads';
import { overlapOf } from './overlap';
import { ShownAsOf } from '../../evaluation/shown-as-of';
import { GetOverlapQuery, type OverlapAnswer } from './stays.queries';

@QueryHandler(GetOverlapQuery)
export class GetOverlapHandler implements IQueryHandler<GetOverlapQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly stays: StayReads,
  ) {}

  /** Throws what ShownAsOf throws. */
  execute({ segmentIds, minPosition }: GetOverlapQuery): Promise<OverlapAnswer> {
    return this.shown.ask(segmentIds, { minPosition }, async ({ moments, asOfPosition }) => {
      const sets = segmentIds.map((id) => ({
        id,
        members: this.stays.contactIds(id, moments.get(id) ?? null),
      }));
      return { ...(await overlapOf(sets)), asOfPosition: asOfPosition.toString() };
    });
  }
}
