/** The services that requests can go to, and what people need to know before they have a key of one. */
import { z } from 'zod'

const text = z.object({ en: z.string(), zh: z.string() })

export const Provider = z
  .object({
    id: z.string(),
    name: z.string(),
    title: text.describe('As people call it, in their language.'),
    company: text.describe('Who runs it.'),
    about: text,
    steps: text.describe('How to get a key.'),
    address_hint: text,
    addresses: z
      .array(z.object({ url: z.string(), label: text }))
      .describe('Base addresses that people commonly use, the usual one first.'),
    key_page: z.string().describe('Where a key is made.'),
    consoles: z
      .array(z.object({ url: z.string(), hosts: z.array(z.string()).nullable() }))
      .describe(
        'Consoles of accounts: the first whose `hosts` hold a part of the host of a base address; null fits every host.',
      ),
    key_variable: z
      .string()
      .nullable()
      .describe('The environment variable that gives the server a key; null where there is none.'),
    cap_variable: z.string().nullable().describe('The one that caps what this key spends in a month.'),
  })
  .meta({ id: 'Provider' })

export type Provider = z.infer<typeof Provider>

export const ProviderList = z.object({ items: z.array(Provider) }).meta({ id: 'ProviderList' })
