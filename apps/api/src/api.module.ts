import { Global, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AccessModule, KeyUses } from '@app/access';
import { AutomationsModule } from '@app/automations';
import { ContactsReadModule, ContactsWriteModule, ReceiptSigner, SuppressionSetting } from '@app/contacts';
import { DecisionRunner, EventStoreModule } from '@app/event-store';
import { HttpModule, Metrics, Readiness, SseStreams } from '@app/http';
import { Clock, SystemClock } from '@app/kernel';
import { MessagingModule } from '@app/messaging';
import { PersonalDataModule, type KeyRingPlace } from '@app/personal-data';
import { PrivacyLogModule, PrivacyLogReads, PrivacyLogSigner } from '@app/privacy-log';
import { ReadStoreModule } from '@app/read-store';
import { RewardAudience, rewardDecider, RewardReads, RewardsModule, rewardStream } from '@app/rewards';
import {
  FactBuckets,
  FillState,
  MembershipAtRevision,
  PendingChanges,
  RewardPrices,
  SegmentsModule,
} from '@app/segments';
import { eventDefinitions, InventoryModule, KeyRingReplay, readModels } from '@app/system';
import { StoreReadiness } from './store.readiness';

export type ApiModuleOptions = Readonly<{
  eventStoreUrl: string;
  mongodbUrl: string;
  mongodbName: string;
  suppressErased: boolean;
  privacyLogName: string;
}> &
  KeyRingPlace;

/** What all contexts get from outside. */
@Global()
@Module({})
class SurroundingsModule {
  static forRoot({ suppressErased }: ApiModuleOptions): DynamicModule {
    return {
      module: SurroundingsModule,
      providers: [
        { provide: Clock, useClass: SystemClock },
        StoreReadiness,
        { provide: Readiness, useExisting: StoreReadiness },
        { provide: SuppressionSetting, useValue: { enabled: suppressErased } },
        { provide: ReceiptSigner, useExisting: PrivacyLogSigner },
        RewardReads,
        FactBuckets,
        FillState,
        PendingChanges,
        MembershipAtRevision,
        {
          provide: RewardAudience,
          useFactory: (memberships: MembershipAtRevision): RewardAudience => memberships,
          inject: [MembershipAtRevision],
        },
        {
          provide: RewardPrices,
          // From its own stream: a reward may be named the moment that it is there.
          useFactory: (decisions: DecisionRunner): RewardPrices => ({
            priceOf: async (rewardId) => {
              const { state } = await decisions.read(rewardDecider, rewardStream(rewardId));
              return state.status === 'known' ? state.terms.price : undefined;
            },
          }),
          inject: [DecisionRunner],
        },
        {
          provide: KeyUses,
          useFactory: (log: PrivacyLogReads) => ({ lastUsedAt: (keyId: string) => log.lastSeen(keyId) }),
          inject: [PrivacyLogReads],
        },
      ],
      exports: [
        Clock,
        Readiness,
        StoreReadiness,
        SuppressionSetting,
        ReceiptSigner,
        RewardPrices,
        RewardAudience,
        KeyUses,
      ],
    };
  }
}

/** The HTTP process: every context behind one application. */
@Module({})
export class ApiModule implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly readiness: StoreReadiness,
    private readonly streams: SseStreams,
  ) {}

  static forRoot(options: ApiModuleOptions): DynamicModule {
    const { eventStoreUrl, mongodbUrl, mongodbName, privacyLogName } = options;
    return {
      module: ApiModule,
      imports: [
        SurroundingsModule.forRoot(options),
        PersonalDataModule.forRoot({ ...options, awaitsReplay: true }),
        EventStoreModule.forRoot({ connectionString: eventStoreUrl, definitions: eventDefinitions }),
        ReadStoreModule.forRoot({
          url: mongodbUrl,
          dbName: mongodbName,
          readModels: [...readModels.projections, ...readModels.journals, ...readModels.ledgers],
        }),
        CqrsModule.forRoot(),
        HttpModule,
        PrivacyLogModule.forRoot({ keyName: privacyLogName }),
        AccessModule,
        ContactsWriteModule,
        ContactsReadModule,
        RewardsModule,
        SegmentsModule,
        MessagingModule,
        AutomationsModule,
        InventoryModule,
      ],
      providers: [KeyRingReplay],
    };
  }

  onModuleInit(): void {
    this.metrics.gauge(
      'regulars_projection_lag_positions',
      'How far the slowest read model is behind the log.',
      () => this.readiness.lag(),
    );
    this.metrics.gauge('regulars_live_streams', 'Open live feeds.', () => this.streams.size);
  }
}
