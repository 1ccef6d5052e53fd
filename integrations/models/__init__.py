from integrations.models.buyer import BrandVoice, BuyerMessage
from integrations.models.carriers import DeliveryEstimate
from integrations.models.channels import ChannelCopy, CopyKind, CopyState
from integrations.models.connections import Connection
from integrations.models.imports import ImportMode, ImportProblem, ImportRun
from integrations.models.inbox import InboxBody, InboxMessage
from integrations.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "BrandVoice",
    "BuyerMessage",
    "ChannelCopy",
    "Connection",
    "CopyKind",
    "CopyState",
    "DeliveryEstimate",
    "ImportMode",
    "ImportProblem",
    "ImportRun",
    "InboxBody",
    "InboxMessage",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
