import { unverifiedCheckpoint } from './checkpoint';
import { type BundleSource, exportLog } from './export-format';
import { leafHash } from './hashing';
import { LogFormatError } from './log-format.error';
import { subtreeRoot, type TileSource } from './proofs';
import { TILE_WIDTH } from './tiles';
import { FaultList, type LogVerdict } from './verdict';
import { type LogToVerify, verifyLines } from './verify-log';

export type ServedLog = Omit<LogToVerify, 'lines'> &
  Readonly<{
    /** The checkpoint that the server gave. */
    note: string;
    bundles: BundleSource;
    tiles: TileSource;
  }>;

/**
 * Verifies a log as it is served: all that verifyLog says of its entries and its checkpoint, and that every tile of every
 * level holds the hashes of those entries. Reads each resource once, in order. Never throws for what is served but for a
 * checkpoint that is none (LogFormatError, NoteError); what the sources throw goes up.
 */
export const verifyServedLog = async (log: ServedLog): Promise<LogVerdict> => {
  const faults = new FaultList(log.onFault);
  const { size } = unverifiedCheckpoint(log.note);
  const tiles = new ServedTiles(log.tiles, faults);
  const bundles: BundleSource = async (index, width) => {
    const leaves = await log.bundles(index, width);
    await tiles.hold(0, index, leaves.map(leafHash));
    if (index * TILE_WIDTH + width === size) await tiles.holdRest();
    return leaves;
  };
  const lines = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const line of exportLog(log.note, bundles)) yield Buffer.from(line);
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      faults.add('line', error.message);
    }
  };
  return verifyLines({ ...log, lines: lines() }, faults);
};

/** Holds served tiles against the hashes that belong in them, from the entries upwards. */
class ServedTiles {
  /** Per level the hashes that wait for their tile to be full, and which tile it is. */
  private readonly filling: { index: number; hashes: Buffer[] }[] = [];

  constructor(
    private readonly source: TileSource,
    private readonly faults: FaultList,
  ) {}

  async hold(level: number, index: number, hashes: readonly Buffer[]): Promise<void> {
    await this.compare(level, index, hashes);
    if (hashes.length < TILE_WIDTH) return;
    const above = (this.filling[level + 1] ??= { index: 0, hashes: [] });
    above.hashes.push(subtreeRoot(hashes));
    if (above.hashes.length < TILE_WIDTH) return;
    await this.hold(level + 1, above.index, above.hashes);
    this.filling[level + 1] = { index: above.index + 1, hashes: [] };
  }

  /** The tiles at the right edge, which are not full. */
  async holdRest(): Promise<void> {
    for (const [level, tile] of this.filling.entries()) {
      // There is no level 0 here: its tiles are held with their entries.
      if (tile && tile.hashes.length > 0) await this.compare(level, tile.index, tile.hashes);
    }
  }

  private async compare(level: number, index: number, hashes: readonly Buffer[]): Promise<void> {
    try {
      const served = await this.source(level, index, hashes.length);
      const wrong = hashes.findIndex((hash, i) => !served[i]?.equals(hash));
      if (wrong < 0 && served.length === hashes.length) return;
      const first = (index * TILE_WIDTH + Math.max(0, wrong)) * TILE_WIDTH ** level;
      this.faults.add(
        'tile',
        `Tile ${index} of level ${level} does not hold the hashes of the entries.`,
        first,
      );
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      this.faults.add('tile', `Tile ${index} of level ${level}: ${error.message}`);
    }
  }
}
