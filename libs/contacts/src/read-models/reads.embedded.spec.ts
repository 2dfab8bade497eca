import { startEmbeddedTestMongo } from '@app/testing';
import { readsSuite } from './reads.suite';

readsSuite('the embedded document store', startEmbeddedTestMongo);
