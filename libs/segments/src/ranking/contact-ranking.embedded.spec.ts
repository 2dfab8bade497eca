import { startEmbeddedTestMongo } from '@app/testing';
import { contactRankingSuite } from './contact-ranking.suite';

contactRankingSuite('the embedded document store', startEmbeddedTestMongo);
