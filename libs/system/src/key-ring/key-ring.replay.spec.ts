import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandContext } from '@app/kernel';
import { Test, type TestingModule } from '@nestjs/testing';
import { EventStore, EventStoreModule } from '@app/event-store';
import { KeyRing, PersonalDataModule, StoredKeyRing } from '@app/personal-data';
import { eventually, startTestEventStore, type TestEventStore } from '@app/testing';
import { eventDefinitions } from '../contexts';
import { KeyRingReplay } from './key-ring.replay';

describe('KeyRingReplay', () => {
  let server: TestEventStore;
  let folder: string;
  const modules: TestingModule[] = [];

  beforeAll(async () => void (server = await startTestEventStore()));
  afterAll(() => server.close());
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'regulars-keys-'))));
  afterEach(async () => {
    await Promise.all(modules.splice(0).map((module) => module.close()));
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (
    keysDir: string,
    connectionString = server.connectionString,
  ): Promise<{ module: TestingModule; keyRing: StoredKeyRing; events: EventStore }> => {
    const module = await Test.createTestingModule({
      imports: [
        PersonalDataModule.forRoot({ keysDir, awaitsReplay: true }),
        EventStoreModule.forRoot({ connectionString, definitions: eventDefinitions }),
      ],
      providers: [KeyRingReplay],
    })
      .setLogger(false as never)
      .compile();
    modules.push(module);
    await module.init();
    return { module, keyRing: module.get(StoredKeyRing), events: module.get(EventStore) };
  };
  const opened = (keyRing: StoredKeyRing): Promise<void> =>
    eventually('the key ring is open', () => keyRing.isOpen);

  const context = (): CommandContext => ({
    commandId: randomUUID(),
    repeatable: false,
    actor: { id: 'test', role: 'system', method: 'internal' },
    correlationId: randomUUID(),
    now: new Date().toISOString(),
    deadlineMs: Date.now() + 10_000,
  });
  const erase = async (
    { keyRing, events }: { keyRing: KeyRing; events: EventStore },
    contactId: string,
  ): Promise<void> => {
    const { keyId } = await keyRing.destroy(contactId, 'personal');
    const data = { contactId, erasureId: randomUUID(), keyIds: [keyId], held: [] };
    await events.append(
      `contact-${contactId}`,
      [{ type: 'contacts.ContactErased.v1', data }],
      'no-stream',
      context(),
    );
  };

  it('destroys again what was destroyed since the copy that was restored, before any key is given out', async () => {
    const keysDir = join(folder, 'keys');
    const first = await start(keysDir);
    await opened(first.keyRing);
    const contacts = Array.from({ length: 4 }, () => randomUUID()) as [string, string, string, string];
    for (const contact of contacts) await first.keyRing.keyForSealing(contact, 'personal');
    await erase(first, contacts[0]);
    await first.module.close();
    const second = await start(keysDir);
    await opened(second.keyRing);
    expect(await second.keyRing.destroyedUpTo()).toBe(await second.events.head());
    await second.module.close();
    await cp(keysDir, join(folder, 'copy'), { recursive: true });
    const third = await start(keysDir);
    await erase(third, contacts[1]);
    await erase(third, contacts[2]);
    await third.module.close();

    const restored = await start(join(folder, 'copy'));
    const kinds = await Promise.all(
      contacts.map(async (contact) => {
        const keyId = `p${Buffer.from(contact.replaceAll('-', ''), 'hex').toString('base64url')}`;
        return (await restored.keyRing.keyForOpening(keyId)).kind;
      }),
    );
    expect(kinds).toEqual(['destroyed', 'destroyed', 'destroyed', 'active']);
    expect(await restored.keyRing.destroyedUpTo()).toBe(await restored.events.head());
    expect(await restored.module.get(KeyRingReplay).replay()).toBe(0);
  });

  it('stays shut while the event store is away', async () => {
    const { keyRing } = await start(join(folder, 'keys'), 'esdb://127.0.0.1:1?tls=false');
    await expect(keyRing.keyForSealing(randomUUID(), 'personal')).rejects.toThrow('not available');
    expect(keyRing.isOpen).toBe(false);
  });
});
