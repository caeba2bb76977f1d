import { describe, expect, it } from 'vitest';
import { languageOf, wordsOf } from '../../../src/records/post-call/spoken-words.ts';

describe('spoken words', () => {
  it('are taken in lower case, apostrophes inside of them', () => {
    expect(wordsOf("Don’t you – it's 5 o'clock!")).toEqual(["don't", 'you', "it's", "o'clock"]);
    expect(wordsOf('Grüße über çä')).toEqual(['grüße', 'über', 'çä']);
    expect(wordsOf('12 … ?')).toEqual([]);
  });

  it('are English where half of them are what English cannot do without', () => {
    expect(languageOf(['I want to change my booking for the flight on Monday.'])).toBe('en');
    expect(languageOf(['Hello, how can I help you?', 'My order is late and I have no number.'])).toBe('en');
  });

  it.each([
    'Ich möchte meine Buchung für den Flug am Montag ändern, bitte.',
    'Quiero cambiar mi reserva para el vuelo del lunes por favor.',
    'Je voudrais changer ma réservation pour le vol de lundi.',
    'Vorrei cambiare la mia prenotazione per il volo di lunedì.',
    'Chciałbym zmienić rezerwację na poniedziałkowy lot.',
  ])('are not English: %s', (text) => {
    expect(languageOf([text])).toBeNull();
  });

  it('tell no language where they are few', () => {
    expect(languageOf(['Yes the one'])).toBeNull();
    expect(languageOf([])).toBeNull();
  });
});
