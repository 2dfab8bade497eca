import { startEmbeddedTestMongo } from '@app/testing';
import { ruleAnswersSuite } from './rule-answers.suite';

ruleAnswersSuite('the embedded document store', startEmbeddedTestMongo);
