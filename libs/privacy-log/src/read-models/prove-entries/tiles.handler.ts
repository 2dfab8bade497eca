import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { entryBundle, tileBytes, TILE_WIDTH } from '@app/transparency-log';
import { PrivacyLogReads } from '../entries/mongo.privacy-log-reads';
import { GetTileQuery } from './tiles.query';

@QueryHandler(GetTileQuery)
export class GetTileHandler implements IQueryHandler<GetTileQuery> {
  constructor(private readonly log: PrivacyLogReads) {}

  async execute({ tile: { level, index, width } }: GetTileQuery): Promise<Buffer | null> {
    const parts =
      level === 'entries'
        ? await this.log.leaves(index * TILE_WIDTH, width)
        : await this.log.tiles(level, index, width);
    if (parts.length < width) return null;
    return level === 'entries' ? entryBundle(parts) : tileBytes(parts);
  }
}
