import { subjects } from './conformance.subjects.ts'
import { describeProvider } from './conformance.ts'

for (const subject of subjects.openai) describeProvider(subject)
