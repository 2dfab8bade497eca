import { IsFlag, IsJsonObject, IsText, IsUuid, IsWholeNumber, PageQueryDto } from '@app/http';
import { CITIES_MAX } from '../read-models/summarise-contacts/contact-summary';
import { CITIES_DEFAULT } from '../read-models/summarise-contacts/summarise-contacts.query';

const IsFilter = () =>
  IsJsonObject({
    optional: true,
    description: 'A rule, as JSON: a node, or `{ "dsl": 1, "tz": …, "root": … }`.',
    example: { all: [{ attr: 'profile.address.country', op: 'eq', value: 'AT' }] },
  });

const IsSearchText = () =>
  IsText({
    max: 200,
    optional: true,
    description: 'Beginnings of name words, of the e-mail or of the phone number; all of them have to fit.',
    example: 'anna ber',
  });

const IsTag = () => IsText({ max: 64, optional: true, description: 'A tag the contact has.' });

const IsSegment = () => IsUuid({ optional: true, description: 'A segment the contact is a member of.' });

export class ListContactsDto extends PageQueryDto {
  @IsFilter() readonly filter?: object;
  @IsSearchText() readonly q?: string;
  @IsTag() readonly tag?: string;
  @IsSegment() readonly segment?: string;

  @IsText({
    max: 80,
    optional: true,
    description:
      'A column, `-` before it for descending: lastName, firstName, email, city, country, language, birthday, registeredAt, ' +
      'lastActivityAt, lastCheckInAt, points.<pool>, counts.<name>, spend.<currency>. Names, e-mail and city are compared ' +
      'without case and accents; a missing value sorts lowest. `-registeredAt` unless told.',
    example: '-points.main',
  })
  readonly sort?: string;

  @IsFlag({ optional: true, description: 'Also count all that match.' })
  readonly count?: boolean;
}

export class SummariseContactsDto {
  @IsFilter() readonly filter?: object;
  @IsSearchText() readonly q?: string;
  @IsTag() readonly tag?: string;
  @IsSegment() readonly segment?: string;

  @IsWholeNumber({
    min: 0,
    max: CITIES_MAX,
    optional: true,
    description: `How many cities to name, largest first; ${CITIES_DEFAULT} unless told.`,
  })
  readonly cities?: number;
}
