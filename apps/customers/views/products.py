"""The list of products with categories and prices."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from apps.accounts import access
from apps.core.http import render_page
from apps.customers import care
from apps.customers.models import Category, Product


@access.signed_in
def product_list(request: HttpRequest) -> HttpResponse:
    """Products by name; ``q`` finds by name or article number, ``category`` keeps one branch of the tree."""
    words, code = request.GET.get("q", "").strip(), request.GET.get("category", "")
    products = Product.objects.select_related("category").prefetch_related("prices").order_by("name", "pk")
    if words:
        products = products.filter(Q(name__icontains=words) | Q(sku__istartswith=words))
    chosen = Category.objects.filter(code=code).first()
    if chosen:
        products = products.filter(category__path__startswith=chosen.path)
    page = Paginator(products, 50).get_page(request.GET.get("page"))
    tree = [(one, one.path.count("/") - 2) for one in Category.objects.order_by("path")]
    context = {"page": page, "q": words, "category": chosen, "tree": tree, "may_recall": care.may_recall(request.user)}
    return render_page(request, "customers/products.html", context, "products")
