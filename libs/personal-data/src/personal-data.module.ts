import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { KeyRing } from './key-ring.port';
import { openKeyRing, type KeyRingPlace } from './open.key-ring';
import { Sealer } from './sealer';
import { Secrets } from './secrets';
import { StoredKeyRing, type KeyRingOptions } from './stored.key-ring';

export type PersonalDataOptions = KeyRingPlace & Pick<KeyRingOptions, 'awaitsReplay'>;

/**
 * Gives every module KeyRing, Secrets and Sealer on one key ring, and closes it at shutdown. With `awaitsReplay` it
 * gives out no key before somebody has called `replayDestroyed`.
 */
@Global()
@Module({})
export class PersonalDataModule implements OnApplicationShutdown {
  constructor(@Inject(StoredKeyRing) private readonly keyRing: StoredKeyRing) {}

  static forRoot({ awaitsReplay = false, ...place }: PersonalDataOptions): DynamicModule {
    return {
      module: PersonalDataModule,
      providers: [
        { provide: StoredKeyRing, useFactory: () => openKeyRing(place, { awaitsReplay }) },
        { provide: KeyRing, useExisting: StoredKeyRing },
        {
          provide: Secrets,
          useFactory: (keyRing: StoredKeyRing) => keyRing.secrets,
          inject: [StoredKeyRing],
        },
        { provide: Sealer, useFactory: (keyRing: KeyRing) => new Sealer(keyRing), inject: [KeyRing] },
      ],
      exports: [KeyRing, StoredKeyRing, Secrets, Sealer],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keyRing.close();
  }
}
