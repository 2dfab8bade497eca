import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { PrivacyLogReads } from '../entries/mongo.privacy-log-reads';
import { NoCheckpointError } from './proofs.errors';

/** The last signed checkpoint that has been folded, as a signed note. */
export class GetCheckpointQuery extends Query<string> {}

@QueryHandler(GetCheckpointQuery)
export class GetCheckpointHandler implements IQueryHandler<GetCheckpointQuery> {
  constructor(private readonly log: PrivacyLogReads) {}

  /** Throws NoCheckpointError. */
  async execute(): Promise<string> {
    const { checkpoint } = await this.log.state();
    if (checkpoint === null) throw new NoCheckpointError();
    return checkpoint.note;
  }
}
