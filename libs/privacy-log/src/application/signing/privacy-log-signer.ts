import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { EventStoreUnavailableError, type DecisionRunner } from '@app/event-store';
import { DomainError, type CommandContext, type Outcome } from '@app/kernel';
import type { Secrets } from '@app/personal-data';
import { signerOf, VerifierKey, type NoteSigner } from '@app/transparency-log';
import { KEY_STREAM } from '../../domain/privacy.events';
import { signingKeysDecider, type RotationAnswer, type SigningKeys } from '../../domain/signing-keys.decider';

/** A rotation reaches every process within about so long. */
const REFRESH_INTERVAL_MS = 10_000;

/**
 * The log's signing keys: Ed25519, each from a seed that follows from the system's secret and the key's number, so that no
 * private key is stored anywhere. Signs checkpoints, and what else auditors check with the log's key: receipts of erasures.
 */
export class PrivacyLogSigner implements OnModuleInit, OnModuleDestroy {
  private readonly signers = new Map<number, NoteSigner>();
  private current: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly secrets: Secrets,
    private readonly decisions: DecisionRunner,
    /** Name of the keys, and origin of the checkpoints. */
    readonly keyName: string,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.refreshQuietly();
    this.timer = setInterval(() => void this.refreshQuietly(), REFRESH_INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Of the key in force as far as this process knows; 32 raw bytes. */
  get publicKey(): Buffer {
    return this.known().publicKey;
  }

  /** Ed25519 with the key of `publicKey`, 64 raw bytes. Throws EventStoreUnavailableError before the keys were first read. */
  sign(bytes: Uint8Array): Buffer {
    return this.known().sign(bytes);
  }

  /** The key in force, as of the log at the time of the call. */
  async inForce(): Promise<Readonly<{ keyNumber: number; signer: NoteSigner }>> {
    const { current: keyNumber } = await this.keys();
    return { keyNumber, signer: this.signer(keyNumber) };
  }

  /** All keys that have ever signed, the one in force first; the others until when they did. */
  async verifierKeys(): Promise<readonly VerifierKey[]> {
    const { current, retired } = await this.keys();
    const verifierKey = (keyNumber: number, until?: string) =>
      new VerifierKey(this.keyName, this.signer(keyNumber).publicKey, until);
    return [
      verifierKey(current),
      ...[...retired].reverse().map(({ keyNumber, until }) => verifierKey(keyNumber, until)),
    ];
  }

  /** Puts the next key in force. */
  async rotate(context: CommandContext): Promise<Outcome<RotationAnswer>> {
    const publicKeyOf = (keyNumber: number) => this.signer(keyNumber).publicKey.toString('base64');
    const command = { type: 'RotateSigningKey', publicKeyOf, now: context.now } as const;
    const outcome = await this.decisions.run(signingKeysDecider, KEY_STREAM, command, context, {
      payload: {},
    });
    this.current = outcome.answer.keyNumber;
    return outcome;
  }

  private async keys(): Promise<SigningKeys> {
    const { state } = await this.decisions.read(signingKeysDecider, KEY_STREAM);
    this.current = state.current;
    return { current: state.current, retired: [...state.retired] };
  }

  private async refreshQuietly(): Promise<void> {
    try {
      await this.keys();
    } catch (error) {
      // A store that is away is tried again; what was known stays in force until then.
      if (!(error instanceof DomainError) || error.kind !== 'unavailable') throw error;
    }
  }

  private known(): NoteSigner {
    if (this.current === undefined) throw new EventStoreUnavailableError(undefined);
    return this.signer(this.current);
  }

  private signer(keyNumber: number): NoteSigner {
    const known = this.signers.get(keyNumber);
    if (known) return known;
    const signer = signerOf(this.keyName, this.secrets.derive(`privacy-log-signing-${keyNumber}`));
    this.signers.set(keyNumber, signer);
    return signer;
  }
}
