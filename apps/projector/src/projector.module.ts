import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AutomationReads } from '@app/automations';
import type { Config, Servers } from '@app/config';
import { ContactsAutomationModule, SuppressionSetting } from '@app/contacts';
import { EventStore, EventStoreModule } from '@app/event-store';
import { Clock, SystemClock } from '@app/kernel';
import { PersonalDataModule } from '@app/personal-data';
import { PrivacyLogSigningModule } from '@app/privacy-log';
import { ReadGate, ReadStoreModule } from '@app/read-store';
import { RewardReads, RewardStock } from '@app/rewards';
import { Announcements, Announcer, segmentAutomationProviders } from '@app/segments';
import { eventDefinitions, KeyRingReplay, readModels } from '@app/system';

/** What all contexts get from outside. */
@Global()
@Module({})
class SurroundingsModule {
  static forRoot({ suppressErased }: Config): DynamicModule {
    return {
      module: SurroundingsModule,
      providers: [
        { provide: Clock, useClass: SystemClock },
        { provide: SuppressionSetting, useValue: { enabled: suppressErased } },
      ],
      exports: [Clock, SuppressionSetting],
    };
  }
}

/** The stores, and what the automations work with. */
@Module({})
export class ProjectorModule {
  static forRoot(config: Config, { eventStoreUrl, mongodbUrl }: Servers): DynamicModule {
    const { mongodbName, privacyLogName } = config;
    return {
      module: ProjectorModule,
      imports: [
        SurroundingsModule.forRoot(config),
        PersonalDataModule.forRoot({ ...config, awaitsReplay: true }),
        EventStoreModule.forRoot({
          connectionString: eventStoreUrl,
          definitions: eventDefinitions,
        }),
        ReadStoreModule.forRoot({
          url: mongodbUrl,
          dbName: mongodbName,
          readModels: [...readModels.projections, ...readModels.journals, ...readModels.ledgers],
        }),
        ContactsAutomationModule,
        PrivacyLogSigningModule.forRoot({ keyName: privacyLogName }),
      ],
      providers: [
        KeyRingReplay,
        RewardReads,
        RewardStock,
        Announcements,
        AutomationReads,
        ...segmentAutomationProviders,
        {
          provide: Announcer,
          useFactory: (events: EventStore, stays: Announcements, gate: ReadGate) =>
            new Announcer({ events, stays, gate }),
          inject: [EventStore, Announcements, ReadGate],
        },
      ],
    };
  }
}
