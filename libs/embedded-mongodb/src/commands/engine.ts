import { Catalog } from '../storage/catalog';
import { redo } from '../storage/redo';
import { Store } from '../storage/store';
import { Cursors } from './cursors';
import { expireSome } from './expiry';
import { breathe } from './pace';
import { Request } from './request';

/** What commands work on. */
export class Engine {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly cursors = new Cursors();
  readonly startedAt = Date.now();
  private isPurging = false;

  private constructor(dataDir: string) {
    this.store = new Store(dataDir);
    this.catalog = new Catalog(this.store);
  }

  /** Opens the data folder; after the machine went down, from the last checkpoint and the journal. */
  static async open(dataDir: string): Promise<Engine> {
    const engine = new Engine(dataDir);
    if (engine.store.isTorn) {
      await engine.store.write(() => engine.store.lost.forEach((record) => redo(engine.catalog, record)));
      await engine.store.recovered();
    }
    engine.purge();
    return engine;
  }

  /** Removes what was dropped, in small steps beside other work. */
  purge(): void {
    if (this.isPurging || !this.catalog.hasDropped) return;
    this.isPurging = true;
    void this.purgeAll().finally(() => (this.isPurging = false));
  }

  private async purgeAll(): Promise<void> {
    while (await this.store.write(() => this.catalog.purgeSome())) await breathe();
  }

  /** Removes the documents whose time in a TTL index has passed. */
  async expire(): Promise<void> {
    for (const collection of this.catalog.all()) {
      for (const index of collection.indexes) {
        if (index.stored.expireAfterSeconds === undefined) continue;
        while (await this.store.write(() => expireSome(this.store, collection, index))) await breathe();
      }
    }
  }

  /** Rewrites the files so that nothing deleted is left in them. */
  async compact(): Promise<void> {
    while (this.catalog.hasDropped) {
      this.purge();
      await breathe();
    }
    await this.store.rewrite(breathe);
  }

  async close(): Promise<void> {
    while (this.isPurging) await breathe();
    await this.store.close();
  }
}

export type Handler = (engine: Engine, request: Request) => Promise<Buffer> | Buffer;
