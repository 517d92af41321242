"""Concord's settings: one file, everything from the environment, a wrong value refused at start.

Every variable read here stands in the README's configuration table; tests/architecture compares the two.
"""

import importlib.util
from importlib import import_module
from pathlib import Path
from zoneinfo import available_timezones

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from config import embedded
from config.environment import Environment, kept_secret

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / ".concord"
env = Environment(BASE_DIR / ".env")

# --- what kind of installation this is -------------------------------------------------------------

DATABASE_URL = env.text("DATABASE_URL", "")
BROKER_URL = env.text("BROKER_URL", "")
MODE = env.choice(
    "CONCORD_MODE",
    ["development", "demo", "production"],
    "production" if DATABASE_URL else "development",
)
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"
DEBUG = MODE == "development"
CLUSTER = embedded.Cluster(STATE_DIR, env.text("CONCORD_CLUSTER", "main"))

SECRET_KEY = env.secret("SECRET_KEY", None if PRODUCTION else kept_secret(STATE_DIR, "secret_key"))
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])
TOKEN_KEYS = env.words("TOKEN_KEYS", [SECRET_KEY])
CREDENTIAL_KEYS = env.words("CREDENTIAL_KEYS", None if PRODUCTION else [kept_secret(STATE_DIR, "credential_key")])
# Recognises addresses on the do-not-contact list after erasure. Unlike the others it can never be changed.
ADDRESS_HASH_KEY = env.secret("ADDRESS_HASH_KEY", None if PRODUCTION else kept_secret(STATE_DIR, "address_hash_key"))

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", None if PRODUCTION else ["*"])
PUBLIC_URL = env.url("PUBLIC_URL", None if PRODUCTION else "http://localhost:8000")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

CLOCK_OFFSET = env.integer("CLOCK_OFFSET", 0)
if CLOCK_OFFSET and PRODUCTION:
    raise ImproperlyConfigured("CLOCK_OFFSET moves the clock and is refused when CONCORD_MODE is production.")

# --- applications ----------------------------------------------------------------------------------

CONCORD_APPS = ["core", "accounts", "customers", "channels", "consent", "campaigns", "reporting"]
INSTALLED_APPS = [
    "django.contrib.auth",  # before ours: accounts takes its group page out of the administration
    *[f"apps.{name}" for name in CONCORD_APPS],
    "django.contrib.admin",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "rest_framework",
    "template_partials",
]


MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.ViewerMiddleware",
    "apps.core.middleware.ReadableMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "apps.accounts.context.navigation",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS += ["django.forms"]

# --- database, broker, cache -----------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", CLUSTER.database_url)}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql" if DATABASE_URL else "config.database",
    "CONN_MAX_AGE": env.integer("DATABASE_CONNECTION_SECONDS", 60),
    "CONN_HEALTH_CHECKS": True,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

CELERY_BROKER_URL = BROKER_URL or CLUSTER.broker_url
CACHE_URL = env.text("CACHE_URL", "")
CACHES = {"default": env.cache(CACHE_URL, BROKER_URL, CLUSTER.cache_url)}

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ALWAYS_EAGER = env.boolean("TASKS_IN_PROCESS", False)
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_DEFAULT_QUEUE = "concord"
# A queue per family of channels: a long print file holds no e-mail up. A worker without -Q works all of them.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("concord", "email", "text", "lists")]
CELERY_TASK_DEFAULT_EXCHANGE = CELERY_TASK_DEFAULT_ROUTING_KEY = CELERY_TASK_DEFAULT_QUEUE
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_SOFT_TIME_LIMIT = 20 * 60
CELERY_TASK_TIME_LIMIT = 25 * 60
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_CONCURRENCY = env.integer("WORKER_PROCESSES", 2)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(CLUSTER.directory / "beat")
# An app declares its periodic work as plain data in apps/<app>/beat.py: SCHEDULE = {name: entry}.
CELERY_BEAT_SCHEDULE = {
    name: entry
    for app in CONCORD_APPS
    if importlib.util.find_spec(f"apps.{app}.beat")
    for name, entry in import_module(f"apps.{app}.beat").SCHEDULE.items()
}

# --- people who sign in ----------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "apps.accounts.adapters.SocialAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXIES", 0)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Concord"
# colleagues are made by an administrator, who knows their address; nobody signs up
MFA_ALLOW_UNVERIFIED_EMAIL = True
USERSESSIONS_TRACK_ACTIVITY = True
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_PROVIDERS = env.oidc()
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True

# --- language and time -----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("nb", _("Norwegian")), ("pl", _("Polish"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
COMPANY_TIME_ZONE = env.choice("COMPANY_TIME_ZONE", available_timezones(), "Europe/Oslo")
# How many days before a purchase a contact still counts as a touch.
ATTRIBUTION_DAYS = env.integer("ATTRIBUTION_DAYS", 30)
# How many of a hundred customers no promotion ever reaches, so that its whole effect can be measured.
UNIVERSAL_CONTROL_PERCENT = env.integer("UNIVERSAL_CONTROL_PERCENT", 0)
if not 0 <= UNIVERSAL_CONTROL_PERCENT <= 50:
    raise ImproperlyConfigured("UNIVERSAL_CONTROL_PERCENT is expected between 0 and 50.")

# --- who is whom -----------------------------------------------------------------------------------

# A household shares a landline and a couple a mailbox, each known to a shop, a till and a loyalty card: up to six
# records. An address on more of them is an organisation's or made up, and identifies nobody.
IDENTITY_KEY_LIMIT = env.integer("IDENTITY_KEY_LIMIT", 6)

# --- files -----------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_collected"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = env.directory("MEDIA_ROOT", CLUSTER.directory / "media")
SANDBOX_DIR = env.directory("SANDBOX_DIR", CLUSTER.directory / "sandbox")
MEDIA_URL = "/media/"
# A large customer file is streamed to disk, never held in memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# --- security --------------------------------------------------------------------------------------

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("BEHIND_TLS_PROXY", PRODUCTION) else None
SECURE_SSL_REDIRECT = env.boolean("REDIRECT_TO_HTTPS", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 365 * 24 * 3600 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
# Browsers heed the policy's frame-ancestors first: our own message preview may be framed by us.
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- mail of Concord itself (password reset), API, log ---------------------------------------------

globals().update(env.email("EMAIL_URL", "consolemail://"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "Concord <concord@localhost>")

# At which hour of the reader's own zone the one daily mail with news leaves.
DIGEST_HOUR = env.integer("DIGEST_HOUR", 7)
if not 0 <= DIGEST_HOUR <= 23:
    raise ImproperlyConfigured("DIGEST_HOUR is an hour of the day, 0 to 23.")

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.api_access.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.api_access.HasAction"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.bodies.KeepableJSONParser"],
    "EXCEPTION_HANDLER": "apps.core.problems.problem_response",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Concord",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "InteractionKindEnum": "apps.customers.models.people.InteractionKind",
        "MessageKindEnum": "apps.campaigns.models.plan.MessageKind",
        "OfferKindEnum": "apps.campaigns.models.offers.OfferKind",
        "SegmentKindEnum": "apps.customers.models.segments.SegmentKind",
    },
}

LOG_LEVEL = env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"django.server": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}},
}
