import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { consistencyProof, inclusionProof, rootAt } from '@app/transparency-log';
import { PrivacyLogReads } from '../entries/mongo.privacy-log-reads';
import { NotInTheTreeError } from './proofs.errors';
import {
  ProveConsistencyQuery,
  ProveInclusionQuery,
  type ConsistencyAnswer,
  type InclusionAnswer,
} from './proofs.queries';

const textOf = (hash: Buffer): string => hash.toString('base64');

@QueryHandler(ProveInclusionQuery)
export class ProveInclusionHandler implements IQueryHandler<ProveInclusionQuery> {
  constructor(private readonly log: PrivacyLogReads) {}

  /** Throws NotInTheTreeError. */
  async execute({ index, size: asked }: ProveInclusionQuery): Promise<InclusionAnswer> {
    const state = await this.log.state();
    const size = asked ?? state.checkpoint?.size ?? 0;
    if (size > state.size || index >= size) throw new NotInTheTreeError(state.size);
    const [entry, hashes, root] = await Promise.all([
      this.log.at(index),
      inclusionProof(this.log.tiles, index, size),
      rootAt(this.log.tiles, size),
    ]);
    if (entry === null) throw new NotInTheTreeError(state.size);
    return { index, size, leafHash: entry.leafHash, hashes: hashes.map(textOf), rootHash: textOf(root) };
  }
}

@QueryHandler(ProveConsistencyQuery)
export class ProveConsistencyHandler implements IQueryHandler<ProveConsistencyQuery> {
  constructor(private readonly log: PrivacyLogReads) {}

  /** Throws NotInTheTreeError. */
  async execute({ from, to: asked }: ProveConsistencyQuery): Promise<ConsistencyAnswer> {
    const state = await this.log.state();
    const to = asked ?? state.checkpoint?.size ?? 0;
    if (to > state.size || from > to) throw new NotInTheTreeError(state.size);
    const [hashes, fromRoot, toRoot] = await Promise.all([
      consistencyProof(this.log.tiles, from, to),
      rootAt(this.log.tiles, from),
      rootAt(this.log.tiles, to),
    ]);
    return { from, to, hashes: hashes.map(textOf), fromRoot: textOf(fromRoot), toRoot: textOf(toRoot) };
  }
}
