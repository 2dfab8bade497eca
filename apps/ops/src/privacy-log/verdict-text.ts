import type { Fault, LogVerdict } from '@app/transparency-log';

const FAULTS_SHOWN_MAX = 20;

/** What was found, for people: integrity and completeness apart, then what is wrong, then what could not be seen. */
export const verdictText = (what: string, verdict: LogVerdict): string => {
  const { integrity, completeness, faults, faultCount } = verdict;
  return [
    what,
    `  integrity:     ${integrity.toUpperCase()} - ${integrityText(verdict)}`,
    `  completeness:  ${completeness.toUpperCase()} - ${completenessText(verdict)}`,
    ...faults.slice(0, FAULTS_SHOWN_MAX).map(faultText),
    ...(faultCount > FAULTS_SHOWN_MAX ? [`  ... and ${faultCount - FAULTS_SHOWN_MAX} more faults`] : []),
    `  ${witnessText(verdict)}`,
  ].join('\n');
};

/** Whether all is as it should be. */
export const isWhole = ({ integrity, completeness }: LogVerdict): boolean =>
  integrity === 'ok' && completeness === 'ok';

const integrityText = ({ entryCount, provenSize, changedBetween, checkpointCount }: LogVerdict): string => {
  const proven = `${provenSize} of ${entryCount} entries are proven by ${checkpointCount} signed checkpoints`;
  if (changedBetween === null) return proven;
  return `${proven}; something was changed among entries ${changedBetween.from} to ${changedBetween.to - 1}`;
};

const completenessText = ({ entryCount, signedSize }: LogVerdict): string =>
  `${entryCount} entries; the largest checkpoint covers ${signedSize}`;

const faultText = ({ area, code, index, detail }: Fault): string =>
  `  ! ${area}, ${code}${index === undefined ? '' : `, entry ${index}`}: ${detail}`;

const witnessText = ({ witnessedSize }: LogVerdict): string =>
  witnessedSize === null
    ? 'No checkpoints of a witness were given. So it cannot be seen whether the newest entries were cut off together with their ' +
      'checkpoints, nor whether the holder of the signing key wrote the history anew.'
    : `A witness kept checkpoints of up to ${witnessedSize} entries: these are as they were then. For later ones, the signing ` +
      'key alone vouches.';
