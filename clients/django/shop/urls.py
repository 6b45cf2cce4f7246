from django.contrib import admin
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path
from rest_framework import routers, serializers, viewsets

from .models import Book

FIVE = ["shop.view_book", "shop.add_book", "shop.change_book", "shop.delete_book", "shop.lend_book"]
PAGE = "{% if perms.shop.lend_book %}lend{% endif %} {% if perms.shop.add_book %}add{% endif %}"


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title"]


class Books(viewsets.ModelViewSet):
    queryset = Book.objects.all()
    serializer_class = BookSerializer


def five(request):
    """Five checks of one request."""
    return JsonResponse({perm: request.user.has_perm(perm) for perm in FIVE})


def page(request):
    """What a template sees."""
    return HttpResponse(engines["django"].from_string(PAGE).render({}, request))


router = routers.DefaultRouter()
router.register("books", Books)
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include(router.urls)),
    path("five/", five),
    path("page/", page),
]
