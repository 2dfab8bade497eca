import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Config, Servers } from '@app/config';
import { ContactsAutomationModule } from '@app/contacts';
import { EventStoreModule } from '@app/event-store';
import { Clock, SystemClock } from '@app/kernel';
import { PersonalDataModule } from '@app/personal-data';
import { ReadStoreModule } from '@app/read-store';
import { RewardReads, RewardStock } from '@app/rewards';
import { eventDefinitions, readModels } from '@app/system';

@Global()
@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
class ClockModule {}

/** The stores, and what the automations work with. */
@Module({})
export class ProjectorModule {
  static forRoot({ keysDir, mongodbName }: Config, { eventStoreUrl, mongodbUrl }: Servers): DynamicModule {
    return {
      module: ProjectorModule,
      imports: [
        ClockModule,
        PersonalDataModule.forRoot({ keysDir }),
        EventStoreModule.forRoot({
          connectionString: eventStoreUrl,
          definitions: eventDefinitions,
        }),
        ReadStoreModule.forRoot({
          url: mongodbUrl,
          dbName: mongodbName,
          readModels: [...readModels.projections, ...readModels.journals],
        }),
        ContactsAutomationModule,
      ],
      providers: [RewardReads, RewardStock],
    };
  }
}
