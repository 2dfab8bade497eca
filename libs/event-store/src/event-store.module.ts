import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { EventDefinition } from '@app/kernel';
import { Sealer, Secrets } from '@app/personal-data';
import { DecisionRunner } from './decision-runner';
import { EsdbClient } from './esdb.client';
import { EsdbEventStore } from './esdb.event-store';
import { EventCatalog } from './event-catalog';
import { EventCodec } from './event-codec';
import { EventStore } from './event-store.port';
import { PayloadMac } from './payload-mac';
import { SealedFields } from './sealed-fields';

export type EventStoreModuleOptions = Readonly<{
  /** As `@eventstore/db-client` takes it; credentials belong in it. */
  connectionString: string;
  /** Of every event type ever written, of all contexts. */
  definitions: readonly EventDefinition[];
}>;

/** Gives every module EventStore, DecisionRunner and SealedFields. Needs PersonalDataModule beside it. */
@Global()
@Module({})
export class EventStoreModule implements OnApplicationShutdown {
  constructor(@Inject(EsdbClient) private readonly client: EsdbClient) {}

  static forRoot({ connectionString, definitions }: EventStoreModuleOptions): DynamicModule {
    return {
      module: EventStoreModule,
      providers: [
        { provide: EsdbClient, useFactory: () => new EsdbClient(connectionString) },
        { provide: EventCatalog, useFactory: () => new EventCatalog(definitions) },
        {
          provide: EventCodec,
          useFactory: (catalog: EventCatalog, sealer: Sealer) => new EventCodec(catalog, sealer),
          inject: [EventCatalog, Sealer],
        },
        {
          provide: EventStore,
          useFactory: (client: EsdbClient, codec: EventCodec) => new EsdbEventStore(client, codec),
          inject: [EsdbClient, EventCodec],
        },
        {
          provide: DecisionRunner,
          useFactory: (store: EventStore, secrets: Secrets) =>
            new DecisionRunner(store, new PayloadMac(secrets)),
          inject: [EventStore, Secrets],
        },
        { provide: SealedFields, useFactory: (sealer: Sealer) => new SealedFields(sealer), inject: [Sealer] },
      ],
      exports: [EventStore, EventCatalog, DecisionRunner, SealedFields],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
