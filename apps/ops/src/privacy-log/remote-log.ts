import {
  type BundleSource,
  LogFormatError,
  parseEntryBundle,
  parseTile,
  type Tile,
  TILE_WIDTH,
  tilePath,
  type TileSource,
} from '@app/transparency-log';
import { RefusedError, type RegularsApi } from '../regulars-api';

const NOT_FOUND = 404;

/** The privacy log of a running instance, as it serves it. Throws LogFormatError for what is not served or not in form. */
export class RemoteLog {
  constructor(private readonly api: Pick<RegularsApi, 'read'>) {}

  /** The newest checkpoint, a signed note that nobody has verified yet. */
  async checkpoint(): Promise<string> {
    return (await this.api.read('/privacy-log/checkpoint')).toString('utf8');
  }

  readonly tiles: TileSource = (level, index, width) => this.read({ level, index, width }, parseTile);

  readonly bundles: BundleSource = (index, width) =>
    this.read({ level: 'entries', index, width }, parseEntryBundle);

  /** A tile that was not full at our checkpoint may be served in full only by now: its beginning is the same. */
  private async read(
    tile: Tile,
    parse: (bytes: Buffer, width: number) => readonly Buffer[],
  ): Promise<readonly Buffer[]> {
    const part = await this.resource(tile);
    if (part) return parse(part, tile.width);
    const full = tile.width < TILE_WIDTH ? await this.resource({ ...tile, width: TILE_WIDTH }) : null;
    if (full) return parse(full, TILE_WIDTH).slice(0, tile.width);
    throw new LogFormatError(`The server has no ${tilePath(tile)}.`);
  }

  private async resource(tile: Tile): Promise<Buffer | null> {
    try {
      return await this.api.read(`/privacy-log/${tilePath(tile)}`);
    } catch (error) {
      if (error instanceof RefusedError && error.status === NOT_FOUND) return null;
      throw error;
    }
  }
}
