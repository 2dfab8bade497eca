import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { KeyRing, KeyRingUnavailableError, PersonalDataModule } from '@app/personal-data';
import { DecisionRunner } from './decision-runner';
import { EventStoreModule } from './event-store.module';
import { EventStore } from './event-store.port';
import { testDefinitions } from './event-store.suite';
import { SealedFields } from './sealed-fields';

describe('EventStoreModule', () => {
  it('comes up beside PersonalDataModule before the event store does, and goes down with it', async () => {
    const keysDir = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
    const connectionString = 'esdb://127.0.0.1:1?tls=false';
    const module = await Test.createTestingModule({
      imports: [
        PersonalDataModule.forRoot({ keysDir }),
        EventStoreModule.forRoot({ connectionString, definitions: testDefinitions }),
      ],
    }).compile();
    await module.init();
    for (const token of [EventStore, DecisionRunner, SealedFields])
      expect(module.get(token)).toBeInstanceOf(token);
    const keyRing = module.get(KeyRing);
    await module.close();
    await expect(keyRing.keyForSealing('6f9619ff-8b86-4d11-b42d-00c04fc964ff', 'personal')).rejects.toThrow(
      KeyRingUnavailableError,
    );
    await rm(keysDir, { recursive: true, force: true });
  });
});
