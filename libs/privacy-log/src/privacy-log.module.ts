import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ContactPresence, ContactReads } from '@app/contacts';
import { DecisionRunner, EventStore } from '@app/event-store';
import { AccessLog } from '@app/http';
import { Secrets } from '@app/personal-data';
import { EventAccessLog } from './application/access-log/event.access-log';
import { PrivacyLogSigner } from './application/signing/privacy-log-signer';
import { RotateSigningKeyHandler } from './application/signing/rotate-signing-key.command';
import { ContactPrivacyLogController, PrivacyLogController } from './http/privacy-log.controller';
import { TilesController } from './http/tiles.controller';
import { PrivacyLogReads } from './read-models/entries/mongo.privacy-log-reads';
import { ListEntriesHandler } from './read-models/list-entries/list-entries.handler';
import { GetCheckpointHandler } from './read-models/prove-entries/checkpoint.query';
import { ProveConsistencyHandler, ProveInclusionHandler } from './read-models/prove-entries/proofs.handlers';
import { GetTileHandler } from './read-models/prove-entries/tiles.handler';

/** Of the log's keys, and the origin of its checkpoints. */
export type PrivacyLogOptions = Readonly<{ keyName: string }>;

const signerProvider = (keyName: string) => ({
  provide: PrivacyLogSigner,
  useFactory: (secrets: Secrets, decisions: DecisionRunner) =>
    new PrivacyLogSigner(secrets, decisions, keyName),
  inject: [Secrets, DecisionRunner],
});

/** The privacy log, for the api: where every access is written down, and the routes that show it and prove it. */
@Global()
@Module({})
export class PrivacyLogModule {
  static forRoot({ keyName }: PrivacyLogOptions): DynamicModule {
    return {
      module: PrivacyLogModule,
      controllers: [PrivacyLogController, ContactPrivacyLogController, TilesController],
      providers: [
        {
          provide: AccessLog,
          useFactory: (store: EventStore) => new EventAccessLog(store),
          inject: [EventStore],
        },
        signerProvider(keyName),
        PrivacyLogReads,
        ContactReads,
        ContactPresence,
        RotateSigningKeyHandler,
        ListEntriesHandler,
        ProveInclusionHandler,
        ProveConsistencyHandler,
        GetTileHandler,
        GetCheckpointHandler,
      ],
      exports: [AccessLog, PrivacyLogReads, PrivacyLogSigner],
    };
  }
}

/** What signing checkpoints needs, for the projector. */
@Global()
@Module({})
export class PrivacyLogSigningModule {
  static forRoot({ keyName }: PrivacyLogOptions): DynamicModule {
    return {
      module: PrivacyLogSigningModule,
      providers: [signerProvider(keyName), PrivacyLogReads],
      exports: [PrivacyLogSigner, PrivacyLogReads],
    };
  }
}
