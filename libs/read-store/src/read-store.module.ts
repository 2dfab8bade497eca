import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import {
  openReadDatabase,
  READ_DB,
  type ReadDatabase,
  type ReadDatabaseOptions,
} from './mongo.read-database';
import { MongoReadStore } from './mongo.read-store';
import { ReadGate, type ReadModelRef } from './read-gate';

export type ReadStoreModuleOptions = ReadDatabaseOptions &
  Readonly<{
    /** The read models that queries of this process read: ReadGate waits for all of them. */
    readModels: readonly ReadModelRef[];
  }>;

class ReadDatabaseHandle implements OnApplicationShutdown {
  constructor(readonly database: ReadDatabase) {}

  onApplicationShutdown(): Promise<void> {
    return this.database.close();
  }
}

/** Gives every module READ_DB and ReadGate; closes the connection on shutdown. */
@Module({})
export class ReadStoreModule {
  static forRoot({ url, dbName, readModels }: ReadStoreModuleOptions): DynamicModule {
    return {
      module: ReadStoreModule,
      global: true,
      providers: [
        {
          provide: ReadDatabaseHandle,
          useFactory: async () => new ReadDatabaseHandle(await openReadDatabase({ url, dbName })),
        },
        {
          provide: READ_DB,
          useFactory: ({ database }: ReadDatabaseHandle) => database.db,
          inject: [ReadDatabaseHandle],
        },
        {
          provide: ReadGate,
          useFactory: ({ database }: ReadDatabaseHandle) =>
            new ReadGate(new MongoReadStore(database.db), readModels),
          inject: [ReadDatabaseHandle],
        },
      ],
      exports: [READ_DB, ReadGate],
    };
  }
}
