import { Query } from '@nestjs/cqrs';
import type { Tile } from '@app/transparency-log';

/** The bytes of a tile or of an entry bundle; null where the tree does not have it (yet). */
export class GetTileQuery extends Query<Buffer | null> {
  constructor(readonly tile: Tile) {
    super();
  }
}
