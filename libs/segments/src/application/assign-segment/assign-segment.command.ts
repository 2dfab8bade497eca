import { Command } from '@nestjs/cqrs';
import type { OverlayMode } from '@app/contacts';
import type { CommandContext, Outcome } from '@app/kernel';

export type Overlay = Readonly<{
  mode: OverlayMode;
  reason?: string | undefined;
  expiresAt?: string | undefined;
}>;

/** Puts a contact into a segment, or keeps it out, whatever the rule says. */
export class AssignSegmentCommand extends Command<
  Outcome<Readonly<{ segmentId: string; mode: OverlayMode }>>
> {
  constructor(
    readonly contactId: string,
    readonly segmentId: string,
    readonly overlay: Overlay,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** Leaves the contact to the segment's rule again. */
export class UnassignSegmentCommand extends Command<Outcome<Readonly<{ segmentId: string }>>> {
  constructor(
    readonly contactId: string,
    readonly segmentId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
