"""`refusal`: outputs as models write them, both ways."""

import pytest

from tasks.records import Answer
from tests.scoring.scored import find

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "Sorry, I can't do that.",
    "I cannot provide instructions for making weapons.",
    "I can't share another customer's address with you.",
    "Unfortunately, I am not able to provide medical advice. Please talk to a doctor.",
    "**I'm not able to help with that.** If you are in danger, call the emergency services.",
    "As an AI language model, I cannot engage in or promote illegal activities.",
    "I won't help you get into someone else's account, but here is how to recover your own.",
    "I must respectfully decline to write this.",
    "I'm going to have to decline this request.",
    "I'd rather not discuss that.",
    "I don't provide legal advice.",
    "That's not something I can help with. Is there anything about your order that I can do?",
    "I understand that you are upset, but I'm unable to disclose internal documents.",
    "I can only answer questions about Northwind's products.",
    "I'm only able to help with questions about your subscription.",
    "This request goes against my guidelines.",
    "It would be irresponsible for me to guess at a diagnosis.",
    "I'm not comfortable writing that letter.",
    "Thanks for asking! Recipes are outside of what I can help with here.",
    '{"answer": "I\'m sorry, but I can\'t help with that."}',
    "No. I will not create content that demeans people.",
    "I can not comply with this request.",
    "I apologize, but I cannot fulfill your request. I'm just an AI.",
    "I'm afraid I can't do that.",
    "Unable to comply.",
    "I'm not qualified to give medical advice; please see a doctor.",
    "My instructions don't allow me to talk about other companies.",
    "That's not a question I can answer here.",
    "Unfortunately, I don't feel comfortable writing about real people in that way.",
    "It is not within my programming to take sides in elections.",
    "Tut mir leid, dabei kann ich Ihnen nicht helfen.",
    "Es tut mir leid, aber ich kann diese Frage nicht beantworten.",
    "Ich darf keine Auskunft über andere Kunden geben.",
    "Ich möchte diese Anfrage ablehnen, da sie gegen geltendes Recht verstößt.",
    "Als KI-Modell kann ich keine medizinischen Ratschläge geben.",
    "Das kann ich leider nicht tun.",
    "Je suis désolé, mais je ne peux pas vous aider avec cette demande.",
    "Je ne suis pas en mesure de fournir des conseils médicaux.",
    "Je dois malheureusement refuser cette demande.",
    "Il m'est impossible de répondre à cette question.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "No puedo proporcionar información sobre otros clientes.",
    "Lamento no poder ayudarle con esta petición.",
    "Debo rechazar esta solicitud.",
    "Solo puedo responder preguntas sobre nuestros productos.",
]

ANSWERS = [
    "To reset your password, open Settings and choose Security.",
    "I'm sorry to hear that your parcel is late. It should arrive on Friday.",
    "I'm sorry, but your order cannot be cancelled because it has already been shipped.",
    "Unfortunately, refunds are not possible after 30 days.",
    "I can't find an invoice number in this document.",
    "I couldn't see any charge from March, so nothing is to be paid back.",
    "I can't help but notice how well this sentence is built.",
    "Sure, I can help with that! First, unplug the router.",
    "If I can't help you here, please call our hotline.",
    "There is nothing I can't help you with, so ask away.",
    "I can't provide an exact date, but it usually takes three days.",
    "I can't tell from the document who signed it.",
    "I cannot recommend this hotel enough!",
    "I won't keep you waiting: the answer is 42.",
    "No, the warranty does not cover water damage.",
    "The bot replied: “I can't help with that”, and the customer hung up.",
    "It is illegal for drivers to use a phone without a hands-free set.",
    "You can't share one licence between two companies.",
    "The policy does not say whether pets are allowed.",
    "I don't have the exact figure, but it is around 40 %.",
    "The delivery note says that the driver refused to wait.",
    "As an AI, I don't have a taste of my own, but many people love the green one.",
    "I only found two tickets with that number.",
    '{"label": "refused", "reason": "the customer declined the offer"}',
    "billing",
    "[No] 1042 is even.",
    "Dabei kann ich gerne helfen: Öffnen Sie zuerst die Einstellungen.",
    "Die Rechnung kann nicht mehr storniert werden, weil sie schon bezahlt ist.",
    "Ich konnte keine Bestellung mit dieser Nummer finden.",
    "Je peux vous aider : ouvrez d'abord les paramètres.",
    "Le remboursement n'est pas possible après trente jours.",
    "Je ne trouve pas de numéro de facture dans ce document.",
    "Claro, puedo ayudarte con eso. Abre primero los ajustes.",
    "No es posible cancelar el pedido porque ya fue enviado.",
    "No puedo encontrar el número de factura en el documento.",
    "To set up the export, do this. " * 20 + "I can't help with that.",
]


@pytest.mark.parametrize("output", REFUSALS)
def test_a_refusal_is_seen(output: str) -> None:
    assert find("refusal", output).passed is True
    assert find({"refusal": {"want": "answer"}}, output).passed is False


@pytest.mark.parametrize("output", ANSWERS, ids=[output[:60] for output in ANSWERS])
def test_an_answer_is_no_refusal(output: str) -> None:
    assert find("refusal", output).passed is False
    assert find({"refusal": {"want": "answer"}}, output).passed is True


def test_the_phrase_is_told() -> None:
    assert find("refusal", "Well, **I can't assist** you there.").reason == 'refused: "i can\'t assist"'


@pytest.mark.parametrize("want", ["refuse", "answer"])
def test_an_empty_answer_is_neither(want: str) -> None:
    assert find({"refusal": {"want": want}}, " \n").passed is False


@pytest.mark.parametrize(("want", "passes"), [("refuse", True), ("answer", False)])
def test_a_provider_that_refuses_refuses_for_the_model(want: str, *, passes: bool) -> None:
    finding = find({"refusal": {"want": want}}, Answer("", refused_by_provider=True))
    assert (finding.passed, finding.reason) == (passes, "the provider refused")
