/** Names and places that the demo data are made of; people of one country share its language. */
export type Country = Readonly<{
  code: string;
  languages: readonly string[];
  phonePrefix: string;
  female: readonly string[];
  male: readonly string[];
  lastNames: readonly string[];
  streets: readonly string[];
  cities: readonly Readonly<{ city: string; postalCode: string; locationId: string }>[];
}>;

const list = (text: string): readonly string[] => text.split(' ');

/** Repeated by weight: half of the demo's people live in Austria. */
export const COUNTRIES: readonly Country[] = (
  [
    [
      3,
      {
        code: 'AT',
        languages: ['de', 'de', 'de', 'de', 'en'],
        phonePrefix: '+43660',
        female: list(
          'Anna Lena Marie Sophie Katharina Eva Johanna Julia Magdalena Theresa Elisabeth Sabine Helga Ingrid',
        ),
        male: list(
          'Lukas Jakob Maximilian David Paul Felix Stefan Thomas Michael Andreas Franz Josef Florian Matthias',
        ),
        lastNames: list(
          'Gruber Huber Bauer Wagner Müller Pichler Steiner Moser Mayer Hofer Leitner Berger Fuchs Eder Lang',
        ),
        streets: ['Hauptstraße', 'Bahnhofstraße', 'Lindengasse', 'Schulweg', 'Kirchengasse', 'Marktplatz'],
        cities: [
          { city: 'Wien', postalCode: '1070', locationId: 'wien-neubau' },
          { city: 'Wien', postalCode: '1030', locationId: 'wien-landstrasse' },
          { city: 'Graz', postalCode: '8010', locationId: 'graz-altstadt' },
          { city: 'Linz', postalCode: '4020', locationId: 'linz-landstrasse' },
          { city: 'Salzburg', postalCode: '5020', locationId: 'salzburg-linzergasse' },
        ],
      },
    ],
    [
      2,
      {
        code: 'DE',
        languages: ['de', 'de', 'de', 'tr'],
        phonePrefix: '+49151',
        female: list('Emma Mia Hannah Emilia Lina Ayşe Claudia Petra Monika Birgit Nele Frieda'),
        male: list('Noah Leon Elias Finn Jonas Emre Wolfgang Jürgen Klaus Bernd Moritz Henning'),
        lastNames: list(
          'Schmidt Schneider Fischer Weber Meyer Becker Schulz Hoffmann Koch Richter Klein Wolf Yılmaz Schröder',
        ),
        streets: ['Goethestraße', 'Gartenstraße', 'Am Anger', 'Rosenweg', 'Lange Straße'],
        cities: [
          { city: 'München', postalCode: '80331', locationId: 'muenchen-marienplatz' },
          { city: 'Berlin', postalCode: '10115', locationId: 'berlin-mitte' },
          { city: 'Passau', postalCode: '94032', locationId: 'passau-altstadt' },
        ],
      },
    ],
    [
      1,
      {
        code: 'CH',
        languages: ['de', 'de', 'fr', 'it'],
        phonePrefix: '+4179',
        female: list('Laura Chiara Céline Nina Ursula Brigitte Aline Elena'),
        male: list('Luca Nico Urs Reto Beat Matteo Yannick Jérôme'),
        lastNames: list('Keller Brunner Baumann Frei Zimmermann Favre Rochat Bernasconi Suter Ammann'),
        streets: ['Seestrasse', 'Dorfstrasse', 'Rue du Lac', 'Bahnhofplatz'],
        cities: [
          { city: 'Zürich', postalCode: '8001', locationId: 'zuerich-niederdorf' },
          { city: 'Genève', postalCode: '1201', locationId: 'geneve-gare' },
        ],
      },
    ],
  ] as const satisfies readonly (readonly [number, Country])[]
).flatMap(([weight, country]) => Array<Country>(weight).fill(country));
