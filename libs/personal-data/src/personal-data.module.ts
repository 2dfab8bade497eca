import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { KeyRing } from './key-ring.port';
import { LocalKeyRing } from './local.key-ring';
import { Sealer } from './sealer';
import { Secrets } from './secrets';

export type PersonalDataOptions = Readonly<{ /** Folder of the local key ring. */ keysDir: string }>;

/** Gives every module KeyRing, Secrets and Sealer on one key ring, and closes it at shutdown. */
@Global()
@Module({})
export class PersonalDataModule implements OnApplicationShutdown {
  constructor(@Inject(LocalKeyRing) private readonly keyRing: LocalKeyRing) {}

  static forRoot({ keysDir }: PersonalDataOptions): DynamicModule {
    return {
      module: PersonalDataModule,
      providers: [
        { provide: LocalKeyRing, useFactory: () => LocalKeyRing.open(keysDir) },
        { provide: KeyRing, useExisting: LocalKeyRing },
        { provide: Secrets, useFactory: (keyRing: LocalKeyRing) => keyRing.secrets, inject: [LocalKeyRing] },
        { provide: Sealer, useFactory: (keyRing: KeyRing) => new Sealer(keyRing), inject: [KeyRing] },
      ],
      exports: [KeyRing, Secrets, Sealer],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keyRing.close();
  }
}
